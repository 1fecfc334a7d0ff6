"""Where a job goes on, and one YAML file over another."""

import os
from pathlib import Path

from stack.merge import merge
from stack.resume import newest_checkpoint


def _checkpoint(folder: Path, run: str, number: int, at_s: int, complete: bool = True) -> Path:
    checkpoint = folder / run / f"chk-{number}"
    checkpoint.mkdir(parents=True)
    if complete:
        (checkpoint / "_metadata").write_bytes(b"x")
        os.utime(checkpoint / "_metadata", (at_s, at_s))
    return checkpoint


def test_a_job_goes_on_from_the_newest_complete_checkpoint_of_any_run(tmp_path: Path) -> None:
    _checkpoint(tmp_path, "first", 90, at_s=100)
    newest = _checkpoint(tmp_path, "second", 7, at_s=200)
    _checkpoint(tmp_path, "second", 8, at_s=300, complete=False)
    assert newest_checkpoint(tmp_path) == newest.as_uri()


def test_the_first_run_begins_from_nothing(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path / "absent") is None


def test_the_upper_file_replaces_adds_and_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "below").write_text("a: 1\nb: 2\nc: 3\n")
    (tmp_path / "above").write_text("b: 20\nc: null\nd: 4\n")
    assert merge(tmp_path / "below", tmp_path / "above") == {"a": 1, "b": 20, "d": 4}
