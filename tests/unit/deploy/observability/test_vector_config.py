"""Vector's configuration agrees with itself and with the rest of the system."""

import json
import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from fleetpulse import topics
from fleetpulse.records.metrics import UNITS
from fleetpulse.stack.programs import s3
from generator.cli import _TOPICS as SIMULATED
from tests.unit.deploy.docker.composition import SERVICES
from tests.unit.deploy.observability.vector import FILES, FOLDER, ROOT, configuration, program

CONFIGURATION = configuration()
SOURCES, TRANSFORMS, SINKS = (CONFIGURATION[section] for section in ("sources", "transforms", "sinks"))
KAFKA_SOURCES = {name: source for name, source in SOURCES.items() if source["type"] == "kafka"}
MIGRATIONS = "\n".join(
    file.read_text() for file in sorted((ROOT / "fleetpulse" / "database" / "migrations").glob("*.sql"))
)


def columns_of(view: str) -> set[str]:
    """The columns of a view that is made of text columns."""
    definition = MIGRATIONS.split(f"CREATE VIEW {view} AS")[1].split(";")[0]
    return {name.strip('"') for name in re.findall(r'NULL::text AS ("?\w+"?)', definition)}


def listed(name: str, source: str) -> set[str]:
    """The strings of a list in a program."""
    return set(re.findall(r'"(\w+)"', source.split(f"{name} = [")[1].split("]")[0]))


@pytest.mark.parametrize("source", KAFKA_SOURCES.values(), ids=KAFKA_SOURCES)
def test_topics_are_read_from_the_beginning_and_only_what_is_committed(source: dict[str, Any]) -> None:
    assert source["auto_offset_reset"] == "earliest"
    assert source["librdkafka_options"]["isolation.level"] == "read_committed"
    assert source["decoding"] == {"codec": "bytes"}


def test_each_store_has_a_source_and_a_group_of_its_own() -> None:
    groups = [source["group_id"] for source in KAFKA_SOURCES.values()]
    assert len(set(groups)) == len(groups) == 4
    assert all(group.startswith("fleetpulse-vector-") for group in groups)


@pytest.mark.parametrize("sink", SINKS.values(), ids=SINKS)
def test_a_store_that_is_away_holds_what_comes_until_it_is_back(sink: dict[str, Any]) -> None:
    assert sink["acknowledgements"] == {"enabled": True}
    assert sink["buffer"]["type"] == "disk"
    assert sink["buffer"]["when_full"] == "block"


@pytest.mark.parametrize("name", TRANSFORMS)
def test_nothing_is_dropped_unseen(name: str) -> None:
    remap = TRANSFORMS[name]
    read = {given for part in (TRANSFORMS, SINKS) for component in part.values() for given in component["inputs"]}
    if remap["drop_on_error"]:
        assert remap["drop_on_abort"]
        assert remap["reroute_dropped"]
        assert f"{name}.dropped" in read
    else:
        assert not remap["drop_on_abort"]
        assert "abort" not in program(name)
    assert name in read


def test_every_input_exists() -> None:
    made = {*SOURCES, *TRANSFORMS, *(f"{name}.dropped" for name in TRANSFORMS)}
    for component in (*TRANSFORMS.values(), *SINKS.values()):
        assert set(component["inputs"]) <= made


def test_the_topics_are_those_of_the_contract() -> None:
    raw = [SIMULATED[dialect].name for dialect in SIMULATED]
    assert SOURCES["alerts"]["topics"] == [topics.ALERTS.name]
    assert SOURCES["aggregates"]["topics"] == [topics.AGGREGATES.name]
    assert SINKS["dead_letters_to_kafka"]["topic"] == topics.ALERT_DEAD_LETTERS.name
    assert set(SOURCES["records_to_cold"]["topics"]) == {*raw, topics.SENSOR_RAW.name}
    assert set(SOURCES["readings_to_search"]["topics"]) == set(raw) - {topics.SENSOR_RAW.name}


def test_a_dead_letter_fits_its_topic() -> None:
    options = SINKS["dead_letters_to_kafka"]["librdkafka_options"]
    assert options["message.max.bytes"] == topics.ALERT_DEAD_LETTERS.config["max.message.bytes"]


@pytest.mark.parametrize(
    ("transform", "sink"), [("alert_rows", "alerts_to_database"), ("aggregate_rows", "aggregates_to_database")]
)
def test_rows_have_the_columns_of_the_view(transform: str, sink: str) -> None:
    source = program(transform)
    columns = {*listed("columns", source), *listed("documents", source), "origin"}
    assert columns == columns_of(SINKS[sink]["table"]) - {"limit_value", "unparsed"}


def test_revisions_stay_in_order() -> None:
    assert SINKS["alerts_to_database"]["request"]["concurrency"] == 1
    assert SINKS["alerts_to_database"]["pool_size"] == 1


def test_the_index_knows_every_field_of_a_document() -> None:
    template = json.loads((FOLDER.parent / "search" / "sensor_readings.json").read_text())
    assert template["index_patterns"] == [SINKS["search"]["bulk"]["index"]] == ["sensor_readings"]
    known = template["template"]["mappings"]["properties"]
    assert known.keys() >= UNITS.keys() == listed("own_fields", program("reading_documents"))
    fields = set(re.findall(r'document\.(\w+)|^    "(\w+)":', program("unread_documents"), re.MULTILINE))
    assert known.keys() >= {name for pair in fields for name in pair if name} - {"id"}
    assert known["temperature"] == {"type": "alias", "path": "temperature_c"}


def test_records_are_kept_cold_in_their_bucket() -> None:
    assert SINKS["cold"]["bucket"] == s3.BUCKET == "sensor-cold"
    assert SINKS["cold"]["compression"] == "gzip"


def test_vector_listens_where_it_is_asked() -> None:
    compose = YAML(typ="safe").load(FOLDER / "compose.yaml")
    [scraped] = YAML(typ="safe").load(FOLDER.parent / "prometheus" / "targets" / "vector.yaml")
    assert scraped["targets"] == [f"vector:{compose['sinks']['metrics']['address'].split(':')[1]}"]
    assert (
        f"http://127.0.0.1:{compose['api']['address'].split(':')[1]}/health"
        in SERVICES["vector"]["healthcheck"]["test"]
    )


def test_what_vector_reads_before_it_knows_the_places_is_no_placeholder() -> None:
    """`vector test` and `vector validate` read the files once as they are: a socket address must be one by then."""
    for file in FILES:
        assert "address:" not in (FOLDER / file).read_text()


@pytest.mark.parametrize("environment", ["compose.yaml", "tests/nowhere.yaml"])
def test_an_environment_names_every_place(environment: str) -> None:
    backends = YAML(typ="safe").load(FOLDER / environment)["secret"]
    asked = re.findall(r"SECRET\[(\w+)\.(\w+)\]", "".join((FOLDER / file).read_text() for file in FILES))
    named = json.loads((FOLDER / backends["places"]["path"]).read_text())
    assert {backend for backend, _ in asked} == backends.keys()
    assert {key for backend, key in asked if backend == "places"} <= named.keys()


def test_nothing_waits_for_the_environment() -> None:
    """Vector 0.57 leaves `${…}` as it stands."""
    for file in (*FILES, "compose.yaml"):
        assert "${" not in (FOLDER / file).read_text()
