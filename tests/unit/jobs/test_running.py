"""One configuration for all jobs. Planning takes no JVM, so all of it is seen here."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import ModuleType

import pytest

from fleetpulse.cli.reference import JOBS
from fleetpulse.cli.settings import parse
from jobs import aggregate, anomaly, archive, cold, inactivity, monitor, rollup
from jobs.wiring import arguments, deciding
from jobs.wiring.outputs import TRANSACTION_TIMEOUT_MS
from jobs.wiring.running import NO_LIMIT, tolerable_failures

DECIDING = {"inactivity": inactivity, "anomaly": anomaly, "aggregate": aggregate, "monitor": monitor}
OTHERS = {"rollup": rollup, "archive": archive, "cold": cold}
REQUIRED = {
    "archive": ["--database.url", "postgresql://db/monitoring"],
    "cold": ["--cold.path", "file:///var/cold"],
}


def flink(job: str, *given: str) -> Mapping[str, str]:
    asked = [*REQUIRED.get(job, []), *given]
    if job in DECIDING:
        decisions = DECIDING[job].DECISIONS
        return deciding.plan(decisions, parse(arguments.Settings, asked, decisions.without), 3).flink
    module: ModuleType = OTHERS[job]
    settings = parse(module.Settings, asked)
    planned = module.plan(settings, "secret") if job == "archive" else module.plan(settings)
    found: Mapping[str, str] = planned.flink
    return found


def test_these_are_all_jobs() -> None:
    assert sorted([*DECIDING, *OTHERS]) == sorted(JOBS)


@pytest.mark.parametrize("job", JOBS)
def test_every_job_carries_what_exactly_once_and_restores_rest_on(job: str) -> None:
    shared = {
        "execution.runtime-mode": "STREAMING",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.unaligned.enabled": "false",
        "execution.checkpointing.timeout": "120000 ms",
        "execution.checkpointing.interval": "300000 ms" if job == "cold" else "10000 ms",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "pipeline.max-parallelism": "128",
        "pipeline.object-reuse": "false",
        "python.execution-mode": "process",
        "table.exec.uid.generation": "ALWAYS",
        "table.local-time-zone": "UTC",
    }
    assert shared.items() <= flink(job).items()


@pytest.mark.parametrize("job", JOBS)
def test_a_job_bears_some_failed_checkpoints_but_none_that_would_outlive_a_transaction(job: str) -> None:
    assert flink(job)["execution.checkpointing.tolerable-failed-checkpoints"] == ("1" if job == "cold" else "5")


@pytest.mark.parametrize("interval_ms", [100, 1_000, 10_000, 30_000, 60_000, 300_000, 600_000, 3_600_000])
def test_a_transaction_still_lives_when_the_checkpoint_after_failed_ones_commits_it(interval_ms: int) -> None:
    failures = tolerable_failures(interval_ms)
    timeout_ms = 120_000
    assert failures == 0 or (failures + 1) * (interval_ms + timeout_ms) < TRANSACTION_TIMEOUT_MS
    assert (failures + 2) * (interval_ms + timeout_ms) >= TRANSACTION_TIMEOUT_MS


@pytest.mark.parametrize("job", JOBS)
def test_every_job_waits_twice_as_long_for_each_restart_and_those_that_decide_give_up_at_last(job: str) -> None:
    prefix = "restart-strategy.exponential-delay."
    limited = job in DECIDING
    restarts = {
        "restart-strategy.type": "exponential-delay",
        f"{prefix}initial-backoff": "1 s",
        f"{prefix}max-backoff": "30 s",
        f"{prefix}backoff-multiplier": "2",
        f"{prefix}attempts-before-reset-backoff": "30" if limited else str(NO_LIMIT),
        f"{prefix}reset-backoff-threshold": "1 h" if limited else "2 min",
    }
    assert {key: value for key, value in flink(job).items() if key.startswith("restart-strategy")} == restarts


@pytest.mark.parametrize("job", JOBS)
def test_every_job_runs_as_it_is_told_to(job: str) -> None:
    given = ["--checkpoint.dir", "s3://b/c", "--checkpoint.interval.ms", "2s", "--parallelism", "5"]
    found = flink(job, *given)
    assert found["execution.checkpointing.dir"].rpartition("/")[0] == "s3://b/c"
    assert found["execution.checkpointing.interval"] == "2000 ms"
    assert found["parallelism.default"] == "5"
    assert found["pipeline.name"].startswith("fleetpulse ")


@pytest.mark.parametrize("job", ["inactivity", "anomaly", "aggregate", "monitor"])
def test_records_cross_to_python_in_batches_of_the_size_that_is_asked_for(job: str) -> None:
    found = flink(job, "--batch.size", "200")
    assert found["python.fn-execution.bundle.size"] == found["python.fn-execution.arrow.batch.size"] == "200"


@pytest.mark.parametrize(
    "settings", [arguments.Settings, archive.Settings, rollup.Settings, cold.Settings], ids=lambda s: s.__module__
)
def test_settings_are_frozen_and_every_field_is_typed(settings: type) -> None:
    assert is_dataclass(settings)
    assert settings.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert not [field.name for field in fields(settings) if "Any" in str(field.type)]


def test_a_job_of_windows_alone_is_named_by_their_topic() -> None:
    decisions = aggregate.DECISIONS
    for given, topic in [([], "telemetry.agg.1m"), (["--window", "10s"], "telemetry.agg.10s")]:
        planned = deciding.plan(decisions, parse(arguments.Settings, given, decisions.without), 3)
        assert planned.sink.name == f"aggregate-{topic}"
