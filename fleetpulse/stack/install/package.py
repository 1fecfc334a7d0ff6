"""Makes the zip that `flink run -pyfs` takes: `python -m fleetpulse.stack.install.package TARGET FOLDER...`."""

import sys
import zipfile
from pathlib import Path

_KEPT = (".avsc", ".py", ".sql")


def package(target: Path, folders: list[Path]) -> None:
    """Pack the code below `folders`, with the same bytes for the same code."""
    unfinished = target.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as out:
        for folder in folders:
            for file in sorted(folder.rglob("*")):
                if file.suffix in _KEPT:
                    out.writestr(zipfile.ZipInfo(str(file)), file.read_bytes())
    unfinished.replace(target)


if __name__ == "__main__":
    package(Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]])
