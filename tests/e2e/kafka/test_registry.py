"""Avro by way of a real schema registry: what evolves compatibly is read, and what does not is refused."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from itertools import islice
from pathlib import Path

import fastavro
import psutil
import pytest
import requests
from kafka import KafkaConsumer

from fleetpulse.cli.commandline import run
from fleetpulse.database.migrate import migrate
from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.schema_registry import Registry
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.records.avro import SCHEMA, SensorReadings, UnknownSchemaError, encode, head
from fleetpulse.stack.programs import registry as stack_registry
from fleetpulse.topics import Topic
from generator.cli import command as generate
from generator.scenario import Dialect
from tests.e2e.jobs.test_monitor import SCENARIO
from tests.e2e.support.archives import Archive
from tests.e2e.support.databases import fresh_database
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import inactivity, lasting
from tests.e2e.support.monitoring import RULES, check, told
from tests.e2e.support.scenarios import SETTINGS
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

SUBJECT = "evolving-value"
FIELDS = SCHEMA["fields"]
FIRMWARE = {"name": "firmware", "type": "string", "default": "unknown"}


@pytest.fixture(scope="module")
def own(stack: EmbeddedStack) -> EmbeddedStack:
    """The stack of the run, which gets a registry while it runs."""
    with_registry = EmbeddedStack(replace(stack.layout, optional=frozenset({"registry"})))
    with_registry.wait_until_ready()
    return with_registry


@pytest.fixture
def registry(own: EmbeddedStack) -> Registry:
    return Registry(stack_registry.url(own.layout))


def written(schema: dict[str, object], schema_id: int, fields: dict[str, object]) -> bytes:
    body = BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(schema), fields)
    return head(schema_id) + body.getvalue()


def test_the_registry_keeps_no_version_that_adds_only_a_null_default_and_records_are_read_all_the_same(
    registry: Registry,
) -> None:
    def with_temperature(**more: object) -> dict[str, object]:
        nullable = {"name": "temperature_c", "type": ["null", "double"], **more}
        return {**SCHEMA, "fields": [{"name": "device_id", "type": "string"}, nullable]}

    subject = f"{SUBJECT}-default"
    first = registry.register(subject, with_temperature())
    assert registry.register(subject, with_temperature(default=None)) == first
    kept = next(field for field in registry.schema(first)["fields"] if field["name"] == "temperature_c")
    assert "default" not in kept
    record = written(with_temperature(), first, {"device_id": "d1", "temperature_c": None})
    fields, _ = SensorReadings(registry.schema).fields_of(record)
    assert (fields["device_id"], fields.get("temperature_c"), fields.get("humidity")) == ("d1", None, None)


def test_schemas_evolve_and_all_their_records_are_read(own: EmbeddedStack, registry: Registry) -> None:
    with_firmware = {**SCHEMA, "fields": [*FIELDS, FIRMWARE]}
    without_place = {**SCHEMA, "fields": [f for f in FIELDS if f["name"] not in ("lat", "lon")]}
    other_id = {**SCHEMA, "fields": [{"name": "device_id", "type": "long"}, *FIELDS[1:]]}
    first = registry.register(SUBJECT, SCHEMA)
    rule = f"{stack_registry.url(own.layout)}/config/{SUBJECT}"
    requests.put(rule, json={"compatibility": "BACKWARD"}, timeout=60).raise_for_status()
    added, removed = (registry.register(SUBJECT, schema) for schema in (with_firmware, without_place))
    with pytest.raises(FleetpulseError, match=f"does not register the schema of {SUBJECT}: .*[Ii]ncompatible"):
        registry.register(SUBJECT, other_id)

    readings = SensorReadings(registry.schema)
    said = {"device_id": "d1", "ts": 1_767_225_600_123, "temperature_c": 21.5, "humidity": 45.0, "lat": 1.0, "lon": 2.0}
    assert len({first, added, removed}) == 3
    newer = said | {"firmware": "1.2"}
    bare = {name: value for name, value in said.items() if name not in ("lat", "lon")}
    assert readings.fields_of(encode(first, said)) == (said, 1)
    assert readings.fields_of(written(with_firmware, added, newer)) == (newer, 1)
    assert readings.fields_of(written(without_place, removed, said)) == (bare, 1)
    with pytest.raises(UnknownSchemaError):
        readings.fields_of(encode(removed + 1_000, said))


@pytest.fixture
def simulated(own: EmbeddedStack) -> Iterator[KafkaConsumer]:
    arguments = ["--dialect", "avro", "--topic", "avro.simulated", "--kafka.bootstrap.servers", own.bootstrap]
    arguments += ["--schema.registry.url", stack_registry.url(own.layout), "--rate", "0", "--duration.seconds", "1"]
    assert run(generate, [*arguments, "--failure.probability", "0"]) == 0
    with KafkaConsumer(
        "avro.simulated", bootstrap_servers=own.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=30_000
    ) as consumer:
        yield consumer


def test_a_registry_that_is_killed_comes_back_with_its_schemas(
    own: EmbeddedStack, registry: Registry, simulated: KafkaConsumer
) -> None:
    own.kill("registry")
    own.wait_until_ready()
    readings = SensorReadings(registry.schema)
    decoded = [(record.key.decode(), readings.fields_of(record.value)[0]) for record in islice(simulated, 1_000)]
    assert len(decoded) == 1_000
    assert {key == fields["device_id"] for key, fields in decoded} == {True}


def test_the_registry_listens_on_the_loopback_interface_only(own: EmbeddedStack) -> None:
    def addresses() -> set[str]:
        found = psutil.Process(own.pid("registry")).net_connections("inet")
        return {c.laddr.ip for c in found if c.status == psutil.CONN_LISTEN}

    assert wait_until("the registry to listen", addresses) <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_the_monitor_job_decides_avro_as_it_does_json(own: EmbeddedStack, registry: Registry, tmp_path: Path) -> None:
    schema_id = registry.register("monitored-value", SCHEMA)
    scenario = replace(SCENARIO, dialect=Dialect.AVRO, schema_id=schema_id, devices=60, duration_ms=120_000)
    job, must = inactivity(own, job="monitor"), told(scenario)
    assert len({alert.rule_id for alert in must.alerts}) > 2
    ensure_topics(own.bootstrap, [lasting(Topic(job.aggregates_topic, 3))])
    (tmp_path / "rules.yaml").write_text(RULES)
    job.write(must.sent)
    url = stack_registry.url(own.layout)
    rules = ("--rules", str(tmp_path / "rules.yaml"), "--window", "10s")
    job.decide_all(*SETTINGS, *rules, "--schema.registry.url", url)
    check(job, must, scenario)


def test_the_archive_job_stores_avro_beside_json(own: EmbeddedStack, registry: Registry) -> None:
    schema_id = registry.register("archived-value", SCHEMA)
    in_avro = encode(schema_id, {"device_id": "d1", "ts": 1_767_225_600_123, "temperature_c": 51.5, "humidity": 8.0})
    in_json = b'{"device_id":"d2","ts":1767225600124,"temperature_c":20.5}'
    with fresh_database(own.database_dsn) as dsn:
        migrate(dsn)
        archive = Archive(own, dsn)
        with archive.running("readings", "--schema.registry.url", stack_registry.url(own.layout)):
            archive.write(in_avro, in_json, b"\0rubbish", topic=archive.readings_topic)
            archive.wait_for_rows(sensor_readings=2)
        stored = archive.query("SELECT device_id, temperature_c, humidity FROM sensor_readings ORDER BY time LIMIT 10")
        assert stored == [("d1", 51.5, 8.0), ("d2", 20.5, None)]
