"""What each check of `fleetpulse doctor` makes of what it was given: a state, and one line with what to do."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from fleetpulse.cli.tables import counted
from fleetpulse.numbers import seconds
from fleetpulse.records.arriving import Arriving
from fleetpulse.rules.checks import starving
from fleetpulse.rules.versions import Version
from fleetpulse.topics import Topic

_GIB = 1 << 30
_MEMORY_NEEDED, _MEMORY_WISHED = 2 * _GIB, 4 * _GIB  # of the stack and one job: least, and with room to work
_DISK_NEEDED, _DISK_WISHED = 1 * _GIB, 5 * _GIB  # the stack does not start with less, see `check_free_space`
_QUIET_MS = 120_000  # two timeouts: by then somebody has sent, or is silent
_START = "start the stack with `make stack-up`"


class State(StrEnum):
    """How something is. Only a fault makes the exit code 1."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Finding(NamedTuple):
    """What was found of one thing, in one line."""

    name: str
    state: State
    line: str


def ok(name: str, line: str) -> Finding:
    """Something that is as it should be."""
    return Finding(name, State.OK, line)


def warning(name: str, line: str) -> Finding:
    """Something that may not be meant, or is not known."""
    return Finding(name, State.WARNING, line)


def fault(name: str, line: str) -> Finding:
    """Something without which nothing works."""
    return Finding(name, State.FAULT, line)


def of_python(version: tuple[int, int, int]) -> Finding:
    """The version of the Python that runs this."""
    shown = ".".join(map(str, version))
    if version[:2] == (3, 11):
        return ok("python", shown)
    return fault("python", f"{shown}: 3.11 is needed; make .venv again with `make setup PYTHON=/path/to/python3.11`")


def of_memory(available: int, runs: bool) -> Finding:
    """Memory that programs can still have, in bytes; `runs` where the stack has its share already."""
    shown = f"{available / _GIB:.1f} GiB available"
    if runs or available >= _MEMORY_WISHED:
        return ok("memory", shown)
    needs = f"Kafka, Flink and PostgreSQL need {_MEMORY_NEEDED >> 30} to {_MEMORY_WISHED >> 30} GiB; end other programs"
    return (fault if available < _MEMORY_NEEDED else warning)("memory", f"{shown}: {needs}")


def of_disk(free: int, folder: str, writable: bool) -> Finding:
    """Free bytes on the disk of the stack's folder, and whether one may write there."""
    if not writable:
        return fault("disk", f"{folder} cannot be written: is it another user's? Use a folder of your own with --dir")
    shown = f"{free / _GIB:.1f} GiB free for {folder}"
    if free >= _DISK_WISHED:
        return ok("disk", shown)
    what = f"the stack needs {_DISK_NEEDED >> 30} GiB to start and {_DISK_WISHED >> 30} to work; free some space"
    return (fault if free < _DISK_NEEDED else warning)("disk", f"{shown}: {what}")


def of_ports(taken: Mapping[int, str], runs: bool, count: int) -> Finding:
    """The stack's ports: which of them others hold, and how many there are; `runs` where it holds them itself."""
    if runs:
        return ok("ports", f"{count} held by the stack")
    if not taken:
        return ok("ports", f"{count} free for the stack")
    who = ", ".join(f"{port}{holder}" for port, holder in taken.items())
    return fault(
        "ports", f"taken: {who}; stop what holds them, or start with `make stack-up ARGS='--port.offset 1000'`"
    )


def of_programs(states: Mapping[str, str], folder: str) -> Finding:
    """The states of the stack's programs by the supervisor; empty where none runs."""
    if not states:
        return warning("stack", f"nothing runs in {folder}: {_START}")
    down = [name for name, state in states.items() if state != "RUNNING"]
    if not down:
        return ok("stack", f"all programs run in {folder}: {', '.join(states)}")
    named = ", ".join(f"{name} is {states[name]}" for name in down)
    return fault("stack", f"{named}: see `fleetpulse stack logs {down[0]}`, then `make stack-up`")


def of_topics(found: Mapping[str, int], wanted: Sequence[Topic]) -> Finding:
    """The partitions of topics, by name, beside what they should be."""
    missing = [topic.name for topic in wanted if topic.name not in found]
    if missing:
        return warning("topics", f"missing: {', '.join(missing)}; make them with `fleetpulse kafka make-topics`")
    few = [f"{t.name} has {found[t.name]} of {t.partitions} partitions" for t in wanted if found[t.name] < t.partitions]
    if few:
        return warning("topics", f"{'; '.join(few)}: see `fleetpulse kafka test-topics`")
    return ok("topics", f"all {len(wanted)} are there")


class Job(NamedTuple):
    """A job in Flink: its name and state, how old its last checkpoint is, if it has made one, its waiting tasks."""

    name: str
    state: str
    checkpoint_age_ms: int | None
    waiting: int = 0


def of_jobs(jobs: Sequence[Job]) -> Finding:
    """Flink's jobs. One that ended on purpose, or failed and was submitted again, is not looked at."""
    running = {job.name for job in jobs if job.state == "RUNNING"}
    jobs = [job for job in jobs if job.state not in _ENDED and (job.state != "FAILED" or job.name not in running)]
    failed = [job for job in jobs if job.state != "RUNNING"]
    if failed:
        named = ", ".join(f"{job.name} is {job.state}" for job in failed)
        return fault("jobs", f"{named}: read its exception in Flink's web UI, and submit it from its last checkpoint")
    if waiting := [job for job in jobs if job.waiting]:
        named = ", ".join(f"{job.name} ({counted(job.waiting, 'task')})" for job in waiting)
        return warning("jobs", f"no free task slot for {named}: stop another job, or add a TaskManager")
    if not any(job.name.startswith(_DECIDING) for job in jobs):
        others = f"only {', '.join(job.name for job in jobs)} runs" if jobs else "none runs"
        return warning("jobs", f"{others}, so nothing is decided: `make submit-monitor`")
    without = [job.name for job in jobs if job.checkpoint_age_ms is None]
    if without:
        return warning("jobs", f"{', '.join(without)} has made no checkpoint yet; alerts become visible with each")
    ages = ", ".join(f"{job.name} (checkpoint {seconds((job.checkpoint_age_ms or 0) / 1000)} ago)" for job in jobs)
    return ok("jobs", ages)


_ENDED = ("FINISHED", "CANCELED")
_DECIDING = ("fleetpulse monitor", "fleetpulse inactivity", "fleetpulse anomaly")


def of_telemetry(found: Arriving, topics: Sequence[str], quiet_ms: int | None) -> Finding:
    """A sample of records, and how long ago the newest came."""
    where = " and ".join(topics)
    if found.avro and not found.records:
        return ok("telemetry", f"{found.avro:,} records in Avro, which are not decoded here")
    if not found.records or quiet_ms is None:
        return warning(
            "telemetry", f"no record in {where}: see docs/your-data.md, or simulate some: `make run-generator`"
        )
    metrics = ", ".join(sorted(found.metrics)) or "no metric"
    shown = f"accepted: {found.accepted:,} of {found.records:,} records, with {metrics}"
    if found.rejected:
        [(reason, count)] = found.rejected.most_common(1)
        return warning("telemetry", f"{shown}; {reason}: {count:,}; see `fleetpulse dlq list`")
    if found.dropped:
        [(dropped, count)] = found.dropped.most_common(1)
        return warning("telemetry", f"{shown}; `{dropped.field}` is dropped in {count:,}: {dropped.why}")
    if quiet_ms > _QUIET_MS:
        return warning("telemetry", f"{shown}; the newest came {seconds(quiet_ms / 1000)} ago: does anything send?")
    return ok("telemetry", shown)


def of_rules(version: Version | None, found: Arriving) -> Finding:
    """The rules in force, beside the metrics that arrive."""
    if version is None:
        return warning("rules", "no version is in force, so only silence is an alert: `fleetpulse rules apply FILE`")
    shown = f"version {version.version} is in force, rules: {len(version.rules.rules)}"
    without = [message for _, message in starving(version.rules, found.metrics_that_may_come)]
    if found.records and without:
        more = f", and {len(without) - 1} more" if len(without) > 1 else ""
        return warning("rules", f"{shown}; {without[0]}{more}: see `fleetpulse rules check FILE --topic TOPIC`")
    return ok("rules", shown)


def of_database(stores_alerts: bool | None, rejects: int) -> Finding:
    """Whether an alert is stored, None without the table, and how many rows the database refused."""
    if stores_alerts is None:
        return fault("database", "it has no table `alerts`: `fleetpulse database migrate`")
    if rejects:
        return warning("database", f"{rejects:,} rows were refused: see the table `alerts_rejects`")
    if not stores_alerts:
        return warning("database", "no alert is stored: does the archive job run? `make submit-archive`")
    return ok("database", "alerts are stored")
