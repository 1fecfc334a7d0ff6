"""What a job prints while Flink's client submits it."""

import subprocess
from pathlib import Path

import pytest

from fleetpulse.stack import submit
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.programs import flink

JOB_ID = "0123456789abcdef0123456789abcdef"
CHANGED = "rules: --rules becomes version 2 on 'rules', for all jobs that read this topic, and takes effect at …"


def test_a_change_of_rules_is_reported_beside_the_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Layout(tmp_path, 0)
    stack.run.mkdir(parents=True)
    answer = f"WARNING: something of Java's\n{CHANGED}\nJob has been submitted with JobID {JOB_ID}\n"
    monkeypatch.setattr(flink, "environment", lambda *_: {})
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, answer, ""))
    assert submit.submit(stack, "anomaly", []) == JOB_ID
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"{CHANGED}\n")


def test_paths_begin_where_the_job_is_submitted_and_modules_there_are_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trucks.yaml").write_text("rules: []\n")
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "__init__.py").write_text("raise AssertionError('not ours')\n")
    monkeypatch.chdir(tmp_path)
    arguments = ["--rules", "trucks.yaml", "--kafka.bootstrap.servers", "localhost:1"]
    assert isinstance(submit.check("monitor", arguments), submit.Checked)
