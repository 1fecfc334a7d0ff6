"""The search server of a stack, and what fills its index."""

import json
from pathlib import Path

import pytest
import yaml

from fleetpulse.records.batch import decode_batch
from fleetpulse.records.documents import documents
from fleetpulse.records.metrics import UNITS
from fleetpulse.search.cli import INDEX
from fleetpulse.stack.layout import Layout, project_root
from fleetpulse.stack.programs import search


@pytest.fixture
def stack(tmp_path: Path) -> Layout:
    (tmp_path / "run").mkdir()
    return Layout(tmp_path, 1000, frozenset({"search"}))


def indexer(stack: Layout) -> tuple[str, ...]:
    [command] = [program.command for program in search.programs(stack) if program.name == "indexer"]
    return command


def test_it_listens_on_the_loopback_interface_and_keeps_its_files_in_the_stack(stack: Layout) -> None:
    search.prepare(stack)
    settings = yaml.safe_load((stack.run / "search-conf" / "opensearch.yml").read_text())
    assert (settings["network.host"], settings["http.port"], settings["transport.port"]) == ("127.0.0.1", 10200, 10300)
    assert settings["path.data"] == str(stack.data / "search")


def test_root_is_not_told_from_others(stack: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    for user, told in ((0, True), (1000, False)):
        monkeypatch.setattr("os.geteuid", lambda user=user: user)
        assert ("-Djna.nounpack=true" in search.programs(stack)[0].command) is told


def test_the_index_is_filled_once_there_is_a_template(stack: Layout) -> None:
    command = indexer(stack)
    assert command[2:4] == (
        "fleetpulse.stack.processes.after",
        "http://127.0.0.1:10200/_index_template/sensor_readings",
    )
    assert "sensor.raw" not in " ".join(command)  # records in Avro would all be rejected


def test_avro_is_indexed_where_there_is_a_registry(stack: Layout) -> None:
    command = indexer(Layout(stack.root, 1000, frozenset({"search", "registry"})))
    assert "events;telemetry.raw;sensor-data;sensor.raw" in command
    assert "http://127.0.0.1:9085/apis/ccompat/v7" in command


def test_vector_fills_the_index_where_it_runs_but_reads_no_avro(stack: Layout) -> None:
    with_vector = Layout(stack.root, 1000, frozenset({"search", "vector"}))
    assert [program.name for program in search.programs(with_vector)] == ["search"]
    with_both = indexer(Layout(stack.root, 1000, frozenset({"search", "vector", "registry"})))
    assert with_both[with_both.index("--events.topic") + 1] == "sensor.raw"


def test_the_index_knows_every_field_of_a_document_and_the_older_name_of_temperature() -> None:
    template = json.loads((project_root() / "deploy" / "observability" / "search" / "sensor_readings.json").read_text())
    fields = template["template"]["mappings"]["properties"]
    record = b'{"sensor_id": "s", "sensor_type": "noise", "value": 1, "location": {"zone": "a"}}'
    [document] = documents(decode_batch([record], [1], 0), ["t:0:0"], UNITS)
    assert document.keys() | UNITS.keys() <= fields.keys()
    assert fields["temperature"] == {"type": "alias", "path": "temperature_c"}
    assert template["index_patterns"] == [INDEX]
