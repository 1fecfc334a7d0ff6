"""Java artifacts: pinned, whole or not at all."""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from jgo.maven import Artifact as RemoteArtifact

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack.install import artifacts
from fleetpulse.stack.install.artifacts import Artifact, download, locked, unpack

CONTENT = b"a jar"
WANTED = Artifact("kafka", "org.example:thing:1.0", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes | Exception], None]:
    """Answers every download with these bytes, or fails after half of the jar."""
    monkeypatch.setattr(artifacts, "wait_exponential", lambda: lambda _state: 0)

    def answer(with_what: bytes | Exception) -> None:
        def resolve(remote: RemoteArtifact) -> Path:
            file = remote.cached_path
            assert file is not None
            assert not file.exists()
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(with_what if isinstance(with_what, bytes) else CONTENT[:2])
            if isinstance(with_what, Exception):
                raise with_what
            return file

        monkeypatch.setattr(RemoteArtifact, "resolve", resolve)

    return answer


def test_every_artifact_is_locked_once_with_a_checksum() -> None:
    names = [(artifact.group, artifact.filename) for artifact in locked()]
    assert len(set(names)) == len(names) > 40
    assert len({artifact.sha256 for artifact in locked()}) == len({artifact.filename for artifact in locked()})
    assert all(len(artifact.sha256) == 64 and artifact.size > 0 for artifact in locked())


def test_what_is_there_is_not_downloaded_again(tmp_path: Path, registry: Callable[[bytes | Exception], None]) -> None:
    registry(CONTENT)
    assert download(tmp_path, [WANTED]) == 1
    registry(OSError("no network"))
    assert download(tmp_path, [WANTED]) == 0
    assert (tmp_path / "thing-1.0.jar").read_bytes() == CONTENT


def packed(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"lib/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"lib/{name}", content)
    return out.getvalue()


ARCHIVE = packed(jar=CONTENT)
PROGRAM = Artifact("registry", "org.example:app:1.0:all:tar.gz", len(ARCHIVE), hashlib.sha256(ARCHIVE).hexdigest())


def test_an_archive_has_a_name_of_its_own() -> None:
    assert (PROGRAM.filename, PROGRAM.folder) == ("app-1.0-all.tar.gz", "app-1.0")


def test_an_archive_without_a_classifier_has_a_name_too() -> None:
    search = Artifact("search", "org.example:app:1.0::zip", 1, "")
    assert (search.filename, search.folder) == ("app-1.0.zip", "app-1.0")


@pytest.mark.parametrize("archive", [ARCHIVE, zipped(jar=CONTENT)], ids=["tar", "zip"])
def test_an_archive_is_unpacked_once(
    tmp_path: Path, registry: Callable[[bytes | Exception], None], archive: bytes
) -> None:
    registry(archive)
    program = replace(PROGRAM, sha256=hashlib.sha256(archive).hexdigest())
    unpack(tmp_path, program)
    registry(OSError("no network"))
    assert (unpack(tmp_path, program) / "lib" / "jar").read_bytes() == CONTENT
    assert [file.name for file in tmp_path.iterdir()] == ["app-1.0"]


@pytest.mark.parametrize("answer", [ARCHIVE[:-1], requests.ConnectionError("offline")], ids=["checksum", "offline"])
def test_an_archive_is_there_whole_or_not_at_all(
    tmp_path: Path, registry: Callable[[bytes | Exception], None], answer: bytes | Exception
) -> None:
    registry(answer)
    with pytest.raises(FleetpulseError, match="try again"):
        unpack(tmp_path, PROGRAM)
    assert list(tmp_path.iterdir()) == []


def test_what_is_optional_is_not_part_of_the_setup(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(artifacts, "download", lambda _folder, wanted: asked.extend(a.group for a in wanted))
    artifacts.command.main([], standalone_mode=False)
    assert set(asked) == {"agent", "cold", "flink", "kafka"}
    assert {artifact.group for artifact in locked()} - set(asked) == {
        "prometheus",
        "registry",
        "s3",
        "s3-server",
        "search",
    }


def test_a_wrong_checksum_installs_nothing(tmp_path: Path, registry: Callable[[bytes | Exception], None]) -> None:
    registry(b"another jar")
    with pytest.raises(FleetpulseError, match=r"thing-1\.0\.jar has the wrong checksum"):
        download(tmp_path, [WANTED])
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_download_leaves_nothing_half(
    tmp_path: Path, registry: Callable[[bytes | Exception], None]
) -> None:
    registry(requests.ConnectionError("reset by peer"))
    with pytest.raises(FleetpulseError, match=r"org\.example:thing:1\.0 cannot be downloaded \(ConnectionError\)"):
        download(tmp_path, [WANTED])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(FleetpulseError, match=r"the disk of .* is full: \d+ MiB free"):
        download(tmp_path, [Artifact("kafka", "org.example:thing:1.0", 1 << 60, "")])


def test_missing_artifacts_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "artifacts_dir", lambda: tmp_path)
    with pytest.raises(FleetpulseError, match="run `make -B setup`"):
        artifacts.jars("kafka")
