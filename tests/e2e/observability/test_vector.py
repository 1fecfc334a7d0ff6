"""A stack with Vector itself, collected only where it is on PATH: see conftest.py."""

import base64
import gzip
import json
import os
import signal
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import requests
from confluent_kafka import Producer
from pyarrow.fs import FileSelector, S3FileSystem

from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.search.cli import INDEX
from fleetpulse.stack.passwords import password
from fleetpulse.stack.programs import s3, search
from fleetpulse.topics import ALERT_DEAD_LETTERS, ALERTS, SENSOR_RAW
from generator.cli import SENSOR_DATA
from tests.e2e.jobs.test_archive import RUBBISH, alert
from tests.e2e.observability.test_on_request import sensor
from tests.e2e.support.databases import rows
from tests.e2e.support.embedded import EmbeddedStack, running_stack
from tests.e2e.support.kafka import header, messages
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

ALERTED = 500
REVISIONS = 4
OUT_OF_ORDER = """
    SELECT count(*) FROM (
        SELECT revision, lag(revision, 1, 0) OVER (PARTITION BY alert_id ORDER BY stored_at) AS before FROM alerts
    ) AS stored WHERE revision <> before + 1
"""
RAW = (
    ("telemetry.raw", b'{"device_id": "telemetry", "ts": 1767225600000, "temperature_c": 46}'),
    ("telemetry.raw", b'{"device_id": "typed", "event_type": "temperature", "payload": {"value": 47}}'),
    ("sensor-data", sensor("sensor", "vibration", 4.5, "mm/s")),
    ("events", b'{"event-id": "e1", "device-id": "event", "time": 1767225600}'),
    ("events", b"\xff no reading"),
    ("sensor.raw", b"\x00\x00\x00\x00\x01 Avro, which is kept cold only"),
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "FLEETPULSE_S3_ENDPOINT"):
            environment.delenv(name, raising=False)
        with running_stack(tmp_path_factory.mktemp("stack"), frozenset({"vector", "search", "s3"})) as running:
            yield running


def write(own: EmbeddedStack, *alerts: bytes | None, committed: bool = True) -> None:
    producer = Producer({"bootstrap.servers": own.bootstrap, "transactional.id": uuid.uuid4().hex})
    producer.init_transactions(30)
    producer.begin_transaction()
    for value in alerts:
        producer.produce(ALERTS.name, value, b"key")
        producer.poll(0)
    producer.flush(60)
    producer.commit_transaction(30) if committed else producer.abort_transaction(30)


def revisions(revision: int) -> list[bytes]:
    return [alert(device, revision) for device in range(ALERTED)]


def asked(own: EmbeddedStack, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(own.database_dsn) as database:
        return rows(database, query)


def test_alerts_are_stored_once_and_in_order_though_vector_and_the_database_end_meanwhile(own: EmbeddedStack) -> None:
    def stored() -> int:
        return int(asked(own, "SELECT count(*) FROM alerts")[0][0])

    odd = [alert(ALERTED, summary="a\x00b"), alert(ALERTED + 1, summary="x" * 900_000)]
    write(own, *revisions(1))
    wait_until("the first rows", stored)
    write(own, *revisions(2), *RUBBISH)
    os.kill(own.pid("postgres"), signal.SIGQUIT)
    write(own, b"never written", alert(ALERTED + 2), committed=False)
    write(own, *revisions(3), *odd)
    own.kill("vector")
    write(own, *revisions(4))
    wait_until("all of them", lambda: stored() >= REVISIONS * ALERTED + len(odd))
    assert stored() == REVISIONS * ALERTED + len(odd)
    assert asked(own, OUT_OF_ORDER) == [(0,)]
    assert asked(own, f"SELECT summary FROM alerts WHERE device_id = 'd{ALERTED}'") == [("ab",)]
    assert asked(own, "SELECT count(*) FROM alerts_rejects") == [(4,)]
    written = messages(own.bootstrap, ALERT_DEAD_LETTERS.name)
    letters = {letter.value(): header(letter, "fleetpulse.reason") for letter in written}
    assert len(letters) == 10  # some perhaps twice: Vector that is killed reads again
    assert letters[b"\xff\xfe{}"] == "malformed"
    assert letters[b"[1]"] == "not_an_object"


def test_raw_records_are_found_and_kept(own: EmbeddedStack) -> None:
    ensure_topics(own.bootstrap, [SENSOR_DATA, SENSOR_RAW])
    producer = Producer({"bootstrap.servers": own.bootstrap})
    for topic, value in RAW:
        producer.produce(topic, value)
    assert producer.flush(60) == 0

    def found() -> list[str]:
        answer = requests.get(f"{search.url(own.layout)}/{INDEX}/_search", timeout=60)
        hits = answer.json()["hits"]["hits"]
        return sorted(hit["_source"].get("device_id") or hit["_source"]["reason"] for hit in hits)

    everyone = ["event", "malformed", "sensor", "telemetry", "typed"]
    wait_until("all in the index", lambda: found() == everyone)
    files = S3FileSystem(
        access_key=password(own.layout, s3.ACCESS_KEY),
        secret_key=password(own.layout, s3.SECRET_KEY),
        endpoint_override=own.layout.address("s3"),
        scheme="http",
    )

    def kept() -> list[tuple[str, bytes]]:
        there = files.get_file_info(FileSelector(f"{s3.BUCKET}/vector", recursive=True, allow_not_found=True))
        lines = [json.loads(line) for file in there if file.is_file for line in lines_of(files, file.path)]
        return sorted((line["topic"], value_of(line)) for line in lines)

    wait_until("all in the bucket", lambda: kept() == sorted(RAW))


def lines_of(files: S3FileSystem, path: str) -> list[bytes]:
    with files.open_input_stream(path, compression=None) as file:
        return gzip.decompress(file.read()).splitlines()


def value_of(line: dict[str, str]) -> bytes:
    return line["value"].encode() if "value" in line else base64.b64decode(line["value_base64"])
