"""Merges one YAML file over another: `python -m fleetpulse.stack.merge BELOW ABOVE > MERGED`. Null removes a key."""

import sys
from pathlib import Path

from ruamel.yaml import YAML


def merge(below: Path, above: Path) -> dict[str, object]:
    """The settings of both files, those of `above` where both have one."""
    yaml = YAML(typ="safe")
    both = yaml.load(below) | yaml.load(above)
    return {key: value for key, value in both.items() if value is not None}


if __name__ == "__main__":
    out = YAML(typ="safe")
    out.default_flow_style = False
    out.width = 1 << 16  # Flink's scripts read line by line
    out.dump(merge(Path(sys.argv[1]), Path(sys.argv[2])), sys.stdout)
