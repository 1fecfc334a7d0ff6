"""Each job has an identity of its own, which its folder of checkpoints and its parameters in Flink have too."""

import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.cli.commandline import run
from fleetpulse.stack.submit import JOBS
from jobs.wiring.arguments import Running
from jobs.wiring.identity import identity
from jobs.wiring.running import configuration
from jobs.wiring.writers import Claim, claim_of

NAMES = st.text(min_size=1, max_size=260)


@given(st.lists(NAMES, min_size=1, max_size=3))
def test_an_identity_is_fit_to_be_a_folder_s_name(parts: list[str]) -> None:
    assert re.fullmatch(r"monitor-[A-Za-z0-9._-]{1,140}", identity("monitor", *parts))


@given(NAMES, NAMES)
def test_what_writes_elsewhere_has_another_identity(one: str, other: str) -> None:
    assert (identity("cold", one) == identity("cold", other)) == (one == other)


def test_checkpoints_lie_below_the_folder_that_is_asked_for() -> None:
    running, claim = Running(checkpoint_dir="s3://bucket/checkpoints/"), Claim("b:9092", {"--alerts.topic": "alerts"})
    flink = configuration("fleetpulse monitor", "monitor-alerts", claim, running)
    assert flink["execution.checkpointing.dir"] == "s3://bucket/checkpoints/monitor-alerts"
    shown = json.loads(flink["pipeline.global-job-parameters"])
    assert shown["fleetpulse.identity"] == "monitor-alerts"
    assert claim_of(shown["fleetpulse.writes"]) == claim


@pytest.fixture
def checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a job says when its arguments are checked."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    needed = {
        "archive": ["--database.url", "postgresql://db/monitoring", "--database.password.file", str(secret)],
        "cold": ["--cold.path", "s3://bucket/raw"],
    }

    def check(job: str, *arguments: str) -> str:
        command = import_module(f"jobs.{job}").command
        assert run(command, ["--check", *needed.get(job, []), *arguments]) == 0
        return capsys.readouterr().out.splitlines()[0]

    return check


@pytest.mark.parametrize("job", JOBS)
def test_every_job_says_who_it_is_when_it_is_checked(job: str, checked: Callable[..., str]) -> None:
    assert checked(job).partition("-")[0] == job


@pytest.mark.parametrize(
    ("job", "another"),
    [
        ("inactivity", ("--alerts.topic", "other")),
        ("anomaly", ("--alerts.topic", "other")),
        ("monitor", ("--alerts.topic", "other")),
        ("aggregate", ("--aggregates.topic", "other")),
        ("aggregate", ("--window", "10s")),
        ("rollup", ("--window", "1d")),
        ("archive", ("--archive", "readings")),
        ("archive", ("--alerts.topic", "other")),
        ("archive", ("--database.url", "jdbc:postgresql://other:5432/monitoring")),
        ("cold", ("--cold.path", "s3://bucket/other")),
    ],
)
def test_a_job_is_the_same_with_other_settings_and_another_where_it_writes_something_else(
    job: str, another: tuple[str, ...], checked: Callable[..., str]
) -> None:
    usual = checked(job)
    assert checked(job, "--parallelism", "4", "--checkpoint.dir", "s3://bucket/elsewhere") == usual
    assert checked(job, *another) != usual
