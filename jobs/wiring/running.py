"""How every job runs: one configuration, and one way to submit what was planned."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment

from fleetpulse.frames.sharding import MAX_PARALLELISM
from jobs.wiring.arguments import Running
from jobs.wiring.identity import PARAMETER
from jobs.wiring.operators import UID_GENERATION
from jobs.wiring.outputs import TRANSACTION_TIMEOUT_MS

NO_LIMIT = 2_147_483_647  # Flink's own word for it
_CHECKPOINT_TIMEOUT_MS = 120_000


class Plan(Protocol):
    """What a job is made of, as its settings say. Made without a JVM and without a connection."""

    @property
    def flink(self) -> Mapping[str, str]:
        """Flink's settings."""


P = TypeVar("P", bound=Plan)


def configuration(
    name: str, identity: str, running: Running, attempts: int = NO_LIMIT, more: Mapping[str, str | int] | None = None
) -> dict[str, str]:
    """Flink's settings, whatever the cluster's own are.

    Args:
        name: of the job, as Flink shows it.
        identity: of the job, by which its checkpoints are found; see `jobs.wiring.identity`.
        running: how it runs.
        attempts: restarts without a lasting success before the job fails. What waits for others has no limit.
        more: what this job alone needs.
    """
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
        "execution.checkpointing.dir": f"{running.checkpoint_dir.rstrip('/')}/{identity}",
        "pipeline.global-job-parameters": f"{PARAMETER}:{identity}",
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
