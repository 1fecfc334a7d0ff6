"""What the demo shows: figures from Flink's Prometheus reporter, alerts from the database, and what does not answer."""

import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
import requests

from fleetpulse.stack.layout import HOST, Layout
from fleetpulse.stack.programs.postgres import MONITOR_USER, dsn

_GAUGE = re.compile(r"^flink_\w*_fleetpulse_(?P<name>[a-z_]+)\{(?P<labels>.*)\} (?P<value>\S+)$", re.MULTILINE)
_TIMEOUT_S = 2  # the view waits for it


@dataclass(frozen=True)
class Figures:
    """The job's gauges at one moment, over all subtasks; None where it does not report yet.

    `taken_s` is of the monotonic clock.
    """

    taken_s: float
    read: int | None = None
    late: int | None = None
    rejected: int | None = None
    known: int | None = None
    silent: int | None = None
    anomalies: int | None = None
    watermark_lag_ms: int | None = None

    def per_second(self, before: "Figures") -> float | None:
        """Records read a second since `before`; None where either is not known."""
        passed_s = self.taken_s - before.taken_s
        if self.read is None or before.read is None or passed_s <= 0:
            return None
        return max(0, self.read - before.read) / passed_s


@dataclass(frozen=True)
class Alert:
    """A revision of an alert as it is in the database."""

    stored_at: datetime
    state: str
    summary: str


@dataclass(frozen=True)
class Alerts:
    """What the database holds of this demo. `newest` comes newest first; `first_at` is when the first was stored."""

    total: int
    open: int
    first_at: datetime | None
    newest: list[Alert]


@dataclass(frozen=True)
class Job:
    """A job as Flink sees it: its state, and how many of its tasks run."""

    state: str
    running: int
    tasks: int


@dataclass(frozen=True)
class Health:
    """What answers. `jobs`, by name, has None for one that Flink does not know."""

    kafka: bool = True
    database: bool = True
    jobmanager: bool = True
    taskmanager: bool = True
    jobs: Mapping[str, Job | None] = field(default_factory=dict)
    reports: bool = True  # whether the monitor job has figures


def troubles(health: Health) -> list[str]:
    """What is down or on its way back, a sentence each, causes first."""
    answers = {
        "kafka": health.kafka,
        "postgres": health.database,
        "jobmanager": health.jobmanager,
        "taskmanager": health.taskmanager,
    }
    found = [f"{name} is down: being restarted" for name, does in answers.items() if not does]
    if health.jobmanager:
        found += [sentence for name, job in health.jobs.items() if (sentence := _trouble(name, job))]
    return found or ([] if health.reports else ["the monitor job has no figures yet: its Python workers start"])


def _trouble(name: str, job: Job | None) -> str | None:
    if job is None:
        return f"the {name} job is gone: end the demo and start it again"
    if job.state in ("FAILED", "CANCELED", "FINISHED"):
        return f"the {name} job has ended ({job.state.lower()}): end the demo and start it again"
    if job.state == "RUNNING" and job.running == job.tasks:
        return None
    does = "restarting" if job.state in ("RESTARTING", "FAILING") else "starting"
    return f"the {name} job is {does}: {job.running} of {job.tasks} tasks run"


def health(stack: Layout, jobs: Mapping[str, str], database: bool, reports: bool) -> Health:
    """What answers now.

    Args:
        stack: the stack.
        jobs: the ids of the jobs to look at, by name.
        database: whether the database has just answered.
        reports: whether the monitor job has just given its figures.
    """
    kafka, metrics = (_listens(stack.ports[name]) for name in ("kafka", "taskmanager-metrics"))
    cluster, listed = _flink(stack, "/overview"), _flink(stack, "/jobs/overview")
    if cluster is None or listed is None:
        return Health(kafka, database, jobmanager=False, taskmanager=metrics, reports=reports)
    of_id = {job["jid"]: Job(job["state"], job["tasks"]["running"], job["tasks"]["total"]) for job in listed["jobs"]}
    # Flink takes half a minute to miss a TaskManager that was killed.
    found = {name: of_id.get(job) for name, job in jobs.items()}
    return Health(kafka, database, True, metrics and cluster["taskmanagers"] > 0, found, reports)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=_TIMEOUT_S):
            return True
    except OSError:
        return False


def _flink(stack: Layout, path: str) -> Mapping[str, Any] | None:
    """Flink's answer; None where it has none."""
    try:
        answer = requests.get(f"http://{stack.address('flink-web')}{path}", timeout=_TIMEOUT_S)
        answer.raise_for_status()
        found: Mapping[str, Any] = answer.json()
    except requests.RequestException:
        return None
    return found


def figures(stack: Layout, job: str) -> Figures:
    """The present figures of a job; none of them is known while its TaskManager is away."""
    try:
        text = requests.get(f"http://{stack.address('taskmanager-metrics')}/metrics", timeout=_TIMEOUT_S).text
    except requests.RequestException:
        text = ""
    return parse(text, job, time.monotonic())


def parse(text: str, job: str, taken_s: float) -> Figures:
    """The figures of a job in the reporter's text: sums over its subtasks, and the worst watermark."""
    gauges: dict[str, list[int]] = {}
    for name, value in _gauges_of(text, job):
        gauges.setdefault(name, []).append(value)
    total = {name: sum(values) for name, values in gauges.items()}
    return Figures(
        taken_s,
        read=total.get("records_read"),
        late=total.get("records_late"),
        rejected=total.get("records_rejected"),
        known=total.get("devices_known"),
        silent=total.get("devices_silent"),
        anomalies=total.get("anomalies_open"),
        watermark_lag_ms=max(gauges.get("watermark_lag_ms", [0])) or None,  # 0 until there is a watermark
    )


def _gauges_of(text: str, job: str) -> Iterator[tuple[str, int]]:
    for found in _GAUGE.finditer(text):
        if f'job_id="{job}"' in found["labels"]:
            yield found["name"].rpartition("reason_")[2], int(float(found["value"]))


def alerts(stack: Layout, since: datetime, limit: int) -> Alerts | None:
    """The alerts that were stored after `since`, read as a role that may only read; None if there is no answer."""
    try:
        return _alerts(stack, since, limit)
    except psycopg.OperationalError:
        return None


def _alerts(stack: Layout, since: datetime, limit: int) -> Alerts:
    with psycopg.connect(dsn(stack, MONITOR_USER), connect_timeout=_TIMEOUT_S) as database:
        counts = database.execute(
            "SELECT count(*), count(*) FILTER (WHERE state IN ('open', 'updated')), "
            "(SELECT min(stored_at) FROM alerts WHERE stored_at >= %(since)s) FROM alerts_current "
            "WHERE alert_id IN (SELECT alert_id FROM alerts WHERE stored_at >= %(since)s)",
            {"since": since},
        ).fetchone()
        newest = database.execute(
            "SELECT stored_at, state, summary FROM alerts WHERE stored_at >= %s "
            "ORDER BY stored_at DESC, changed_at DESC, device_id LIMIT %s",
            [since, limit],
        ).fetchall()
    total, still_open, first_at = counts or (0, 0, None)
    return Alerts(total, still_open, first_at, [Alert(*row) for row in newest])
