"""How every job runs: one configuration, and one way to submit what was planned."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import requests
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment

from fleetpulse.frames.sharding import MAX_PARALLELISM
from jobs.wiring import identity, writers
from jobs.wiring.arguments import Running
from jobs.wiring.operators import UID_GENERATION
from jobs.wiring.outputs import TRANSACTION_TIMEOUT_MS
from jobs.wiring.writers import Claim

NO_LIMIT = 2_147_483_647  # Flink's own word for it
_CHECKPOINT_TIMEOUT_MS = 120_000
_ANSWER_S = 10
_RUN = "fleetpulse.run"


class Plan(Protocol):
    """What a job is made of, as its settings say. Made without a JVM and without a connection."""

    @property
    def flink(self) -> Mapping[str, str]:
        """Flink's settings."""

    @property
    def identity(self) -> str:
        """The job's identity; see `jobs.wiring.identity`."""

    @property
    def claim(self) -> Claim:
        """What it alone may write."""


P = TypeVar("P", bound=Plan)


def configuration(
    name: str,
    of_job: str,
    claim: Claim,
    running: Running,
    attempts: int = NO_LIMIT,
    more: Mapping[str, str | int] | None = None,
    run: str | None = None,
) -> dict[str, str]:
    """Flink's settings, whatever the cluster's own are.

    Args:
        name: of the job, as Flink shows it.
        of_job: its identity, by which its checkpoints are found; see `jobs.wiring.identity`.
        claim: what it alone may write.
        running: how it runs.
        attempts: restarts without a lasting success before the job fails. What waits for others has no limit.
        more: what this job alone needs.
        run: what names this run among the writers of its topics, if it claims any.
    """
    shown = {identity.PARAMETER: of_job, writers.PARAMETER: claim.text()} | ({_RUN: run} if run else {})
    values = {
        "pipeline.name": name,
        "parallelism.default": running.parallelism,
        "pipeline.max-parallelism": MAX_PARALLELISM,
        "execution.runtime-mode": "STREAMING",
        "table.local-time-zone": "UTC",
        # What exactly-once rests on: state in step with what was read, and no row reused while Python has it.
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.unaligned.enabled": "false",
        "execution.checkpointing.interval": f"{running.checkpoint_interval_ms} ms",
        "execution.checkpointing.timeout": f"{_CHECKPOINT_TIMEOUT_MS} ms",
        "execution.checkpointing.tolerable-failed-checkpoints": tolerable_failures(running.checkpoint_interval_ms),
        "execution.checkpointing.dir": f"{running.checkpoint_dir.rstrip('/')}/{of_job}",
        "pipeline.global-job-parameters": json.dumps(shown),
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "pipeline.object-reuse": "false",
        "python.execution-mode": "process",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "30 s",
        "restart-strategy.exponential-delay.backoff-multiplier": 2,
        "restart-strategy.exponential-delay.reset-backoff-threshold": "1 h" if attempts < NO_LIMIT else "2 min",
        "restart-strategy.exponential-delay.attempts-before-reset-backoff": attempts,
        # A restore finds the Kafka offsets by these ids. The default ones shift with every added operator.
        **UID_GENERATION,
        **(more or {}),
    }
    return {key: str(value) for key, value in values.items()}


def tolerable_failures(interval_ms: int) -> int:
    """How many checkpoints may fail in a row before the job restarts from the last one that did not.

    The one that succeeds after them commits their transactions too, which by then must not be older than they live.
    """
    longest_ms = _CHECKPOINT_TIMEOUT_MS + interval_ms
    return max(0, (TRANSACTION_TIMEOUT_MS - 1) // longest_ms - 1)


def describe(plan: Plan) -> str:
    """What --check prints, a line each: the job's identity, what it alone may write, and its folder of checkpoints."""
    return "\n".join((plan.identity, plan.claim.text(), plan.flink["execution.checkpointing.dir"]))


def refuse_second(claim: Claim) -> None:
    """Refuse to go on if a job on the cluster that `flink run` submits to writes to the same place. Starts the JVM.

    Raises:
        ConfigurationError: names the place and the job.
    """
    if address := _cluster(StreamExecutionEnvironment.get_execution_environment()):
        writers.refuse_second(lambda path: _get(address, path), claim)


def environment(flink: Mapping[str, str]) -> StreamExecutionEnvironment:
    """A Flink environment with these settings. Starts the JVM."""
    settings = Configuration()
    for key, value in flink.items():
        settings.set_string(key, value)
    return StreamExecutionEnvironment.get_execution_environment(settings)


def submit(plan: P, build: Callable[[StreamExecutionEnvironment, P], None]) -> None:
    """Build what was planned and submit it."""
    flink = environment(plan.flink)
    build(flink, plan)
    flink.execute(plan.flink["pipeline.name"])


def _cluster(flink: StreamExecutionEnvironment) -> str | None:
    """`host:port` of the REST interface of the cluster that `flink run` submits to; None where nothing says it."""
    known = flink._j_stream_execution_environment.getConfiguration().toMap()
    host, port = known.get("rest.address"), known.get("rest.port")
    return f"{host}:{port}" if known.get("execution.target") == "remote" and host and port else None


def _get(address: str, path: str) -> Any:
    """The answer to a GET; nothing runs where nobody answers, and Flink itself will say why it cannot submit."""
    try:
        answer = requests.get(f"http://{address}{path}", timeout=_ANSWER_S)
        answer.raise_for_status()
        return answer.json()
    except (requests.RequestException, ValueError):
        return {"jobs": []}
