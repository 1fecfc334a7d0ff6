"""What `fleetpulse doctor` asks, each thing for a bounded time, whether it is there or not."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from queue import Empty, Queue
from threading import Thread
from typing import Any

import psutil
import psycopg
import requests
from confluent_kafka import Consumer, KafkaException

from fleetpulse.cli.reachable import refusal
from fleetpulse.doctor import findings
from fleetpulse.doctor.findings import Finding, Job, fault, ok, warning
from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.reading import last_records
from fleetpulse.records.arriving import Arriving
from fleetpulse.rulefiles.topic import read_book
from fleetpulse.rules.versions import in_force
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.ports import taken
from fleetpulse.stack.processes import supervision
from fleetpulse.times import DEFAULT_FUTURE_SKEW_MS
from fleetpulse.topics import RULES, TOPICS

_ANSWER_S = 4  # of one request
_ALL_S = 8.0  # of a whole check, whatever it asks
_SAMPLE = 300
Check = Callable[[], Sequence[Finding]]


def machine(stack: Layout | None) -> list[Finding]:
    """Python; where a stack is looked at also memory, disk and ports of this machine, and the stack's programs."""
    python = findings.of_python(sys.version_info[:3])
    if stack is None:
        return [python]
    states = {status.name: status.state for status in supervision.statuses(stack)}
    nearest = next(path for path in (stack.root, *stack.root.parents) if path.exists())
    return [
        python,
        findings.of_memory(psutil.virtual_memory().available, bool(states)),
        findings.of_disk(shutil.disk_usage(nearest).free, str(stack.root), os.access(nearest, os.W_OK | os.X_OK)),
        findings.of_ports({} if states else taken(stack), bool(states), len(stack.ports)),
        findings.of_programs(states, str(stack.root)),
    ]


def at_once(checks: Mapping[str, Check]) -> Iterator[Finding]:
    """Run checks beside each other, and yield their findings in their order. One that does not end is a fault."""
    answers: dict[str, Queue[Sequence[Finding]]] = {name: Queue() for name in checks}
    for name, check in checks.items():
        Thread(target=lambda n, c: answers[n].put(_tried(n, c)), args=(name, check), daemon=True).start()
    until_s = time.monotonic() + _ALL_S
    for name, answer in answers.items():
        try:
            yield from answer.get(timeout=max(0.0, until_s - time.monotonic()))
        except Empty:
            yield fault(name, f"no answer within {_ALL_S:.0f} s: does what listens there belong to Fleetpulse?")


def _tried(name: str, check: Check) -> Sequence[Finding]:
    try:
        return check()
    except FleetpulseError as failed:
        return [fault(name, str(failed))]


def kafka(bootstrap_servers: str, telemetry: Sequence[str], what_to_do: str) -> list[Finding]:
    """The broker, its topics, what arrives on those of telemetry, and the rules beside it."""
    why = refusal(bootstrap_servers.split(",")) if bootstrap_servers else None
    found = None if why or not bootstrap_servers else _partitions(bootstrap_servers)
    if found is None:
        unknown = [warning(name, "not looked at: no broker answers") for name in ("topics", "telemetry", "rules")]
        where = f"none answers at {bootstrap_servers}: {why or 'silence'}" if bootstrap_servers else "none is named"
        return [fault("broker", f"{where}; {what_to_do}"), *unknown]
    sample, newest_ms = Arriving(), []
    for topic in telemetry:
        messages = last_records(bootstrap_servers, topic, _SAMPLE) if topic in found else []
        times_ms = [message.timestamp()[1] for message in messages]
        sample.take([message.value() for message in messages], times_ms, DEFAULT_FUTURE_SKEW_MS)
        newest_ms += times_ms[-1:]
    versions = read_book(bootstrap_servers, RULES.name).versions if RULES.name in found else ()
    now_ms = time.time_ns() // 1_000_000
    return [
        ok("broker", bootstrap_servers),
        findings.of_topics(found, TOPICS),
        findings.of_telemetry(sample, telemetry, now_ms - max(newest_ms) if newest_ms else None),
        findings.of_rules(in_force(versions, now_ms), sample),
    ]


def _partitions(bootstrap_servers: str) -> dict[str, int] | None:
    """How many partitions each topic has; None where no broker answers."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "fleetpulse-doctor", "log_level": 0})
    try:
        topics = consumer.list_topics(timeout=_ANSWER_S).topics
    except KafkaException:
        return None
    finally:
        consumer.close()
    return {name: len(topic.partitions) for name, topic in topics.items()}


def registry(url: str | None) -> list[Finding]:
    """The schema registry; nobody needs one for JSON."""
    if url is None:
        return [ok("registry", "none is named, and none is needed but for Avro")]
    try:
        requests.get(f"{url}/subjects", timeout=_ANSWER_S).raise_for_status()
    except requests.RequestException as failed:
        return [
            fault("registry", f"{url} does not answer ({type(failed).__name__}): jobs wait for it at each new schema")
        ]
    return [ok("registry", url)]


def flink(address: str | None, what_to_do: str) -> list[Finding]:
    """Flink's jobs."""
    if address is None:
        return [warning("jobs", "not looked at: name Flink with --flink.rest, or `make stack-up`")]
    try:
        return [findings.of_jobs([_job(address, job) for job in _get(address, "/jobs/overview")["jobs"]])]
    except requests.RequestException as failed:
        return [fault("jobs", f"Flink does not answer at {address} ({type(failed).__name__}): {what_to_do}")]
    except (LookupError, TypeError):
        return [fault("jobs", f"what answers at {address} is not Flink: name it with --flink.rest")]


def _job(address: str, job: Mapping[str, Any]) -> Job:
    latest = _get(address, f"/jobs/{job['jid']}/checkpoints").get("latest") or {}
    made = latest.get("completed")
    age_ms = None if made is None else time.time_ns() // 1_000_000 - made["latest_ack_timestamp"]
    return Job(job["name"], job["state"], age_ms, job["tasks"]["scheduled"])


def _get(address: str, path: str) -> Any:
    answer = requests.get(f"http://{address}{path}", timeout=_ANSWER_S)
    answer.raise_for_status()
    return answer.json()


def database(conninfo: str | None, what_to_do: str) -> list[Finding]:
    """The database, its tables, and what it refused."""
    if conninfo is None:
        return [warning("database", "not looked at: name it with --database.url, or `make stack-up`")]
    try:
        with psycopg.connect(conninfo, connect_timeout=_ANSWER_S, autocommit=True) as connection:
            connection.execute("SELECT set_config('statement_timeout', %s, false)", [f"{_ANSWER_S}s"])
            [there] = connection.execute("SELECT to_regclass('alerts') IS NOT NULL").fetchone() or (False,)
            if not there:
                return [findings.of_database(None, 0)]
            stored = "SELECT EXISTS (SELECT FROM alerts), (SELECT count(*) FROM alerts_rejects)"
            return [findings.of_database(*(connection.execute(stored).fetchone() or (False, 0)))]
    except psycopg.Error as failed:
        [why, *_] = str(failed).splitlines() or [type(failed).__name__]
        return [fault("database", f"{why}: {what_to_do}")]
