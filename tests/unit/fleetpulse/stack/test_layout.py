"""Where a stack lives."""

from itertools import combinations
from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.errors import ConfigurationError
from fleetpulse.stack.layout import OPTIONAL, Layout, layout
from fleetpulse.stack.programs import prometheus
from tests.e2e.support.embedded import STRIDE
from tests.unit.fleetpulse.stack.running import a_process_of


def test_the_offset_moves_every_port(tmp_path: Path) -> None:
    every = frozenset(OPTIONAL)
    plain, moved = Layout(tmp_path, 0, every).ports, Layout(tmp_path, 1000, every).ports
    assert moved == {name: port + 1000 for name, port in plain.items()}


def test_no_two_programs_share_a_port(tmp_path: Path) -> None:
    ports = Layout(tmp_path, 0, frozenset(OPTIONAL)).ports.values()
    assert len(set(ports)) == len(ports)


def test_a_folder_remembers_its_offset(tmp_path: Path) -> None:
    layout(str(tmp_path), 1000).save()
    assert layout(str(tmp_path)).port_offset == 1000
    assert layout(str(tmp_path), 2000).port_offset == 2000


def test_a_folder_remembers_its_optional_programs(tmp_path: Path) -> None:
    assert "registry" not in layout(str(tmp_path)).ports
    layout(str(tmp_path), 1000, ["registry"]).save()
    remembered = layout(str(tmp_path))
    assert remembered.optional == {"registry"}
    assert remembered.address("registry") == "127.0.0.1:9085"


def test_a_folder_of_before_there_were_optional_programs_has_none(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"port_offset": 7}')
    assert layout(str(tmp_path)) == Layout(tmp_path, 7)


def test_the_folder_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETPULSE_DIR", str(tmp_path))
    assert layout().root == tmp_path


def test_the_offset_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETPULSE_PORT_OFFSET", "500")
    assert layout(str(tmp_path)).port_offset == 500
    monkeypatch.setenv("FLEETPULSE_PORT_OFFSET", "many")
    with pytest.raises(ConfigurationError, match="FLEETPULSE_PORT_OFFSET"):
        layout(str(tmp_path))


def test_a_running_stack_keeps_its_ports_whatever_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout(str(tmp_path), 1000).save()
    monkeypatch.setenv("FLEETPULSE_PORT_OFFSET", "500")
    with a_process_of(Layout(tmp_path)):
        assert layout(str(tmp_path)).port_offset == 1000
        assert layout(str(tmp_path), 2000).port_offset == 2000
    assert layout(str(tmp_path)).port_offset == 500


def test_two_folders_are_two_stacks(tmp_path: Path) -> None:
    assert Layout(tmp_path / "a").name != Layout(tmp_path / "b").name


def test_an_offset_that_no_port_can_take_is_refused(tmp_path: Path) -> None:
    highest = 65_535 - max(Layout(tmp_path, 0, frozenset(OPTIONAL)).ports.values())
    assert layout(str(tmp_path), highest).port_offset == highest
    for offset in (-1, highest + 1, 1_000_000):
        with pytest.raises(ConfigurationError, match=rf"--port.offset {offset}: expected 0 to {highest}"):
            layout(str(tmp_path), offset)


def test_a_folder_with_blanks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="blanks"):
        layout(str(tmp_path / "my stack"))


def test_damaged_settings_are_named(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"stack\.json cannot be read"):
        layout(str(tmp_path))


def test_stacks_of_tests_that_run_side_by_side_share_no_port() -> None:
    ports = {*Layout(Path(), 0, frozenset(OPTIONAL)).ports.values(), prometheus.SIMULATOR_PORT}
    assert [pair for pair in combinations(ports, 2) if (pair[0] - pair[1]) % STRIDE == 0] == []


@pytest.mark.parametrize("below", [(), ("a",), ("a", "b")], ids=["the file itself", "below it", "far below"])
def test_a_folder_that_a_file_stands_in_the_way_of_is_refused(tmp_path: Path, below: tuple[str, ...]) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigurationError, match=r"--dir .*file is no folder"):
        layout(str(file.joinpath(*below)))


def test_a_folder_below_a_link_to_nowhere_or_with_an_impossible_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="is no folder"):
        layout(str(tmp_path / "link" / "stack"))
    with pytest.raises(ConfigurationError, match="--dir"):
        layout(str(tmp_path / ("x" * 300)))


@pytest.mark.parametrize("spelled", ["link", "other/../stack"])
def test_a_folder_is_one_stack_however_it_is_spelled(spelled: str, tmp_path: Path) -> None:
    for name in ("stack", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "stack")
    assert layout(str(tmp_path / spelled)).name == layout(str(tmp_path / "stack")).name


COMMANDS = [
    *(["up"], ["down"], ["status"], ["reset"], ["logs", "kafka"], ["submit", "monitor"], ["savepoint", "monitor"]),
]


@pytest.mark.parametrize("arguments", [*(["stack", *c] for c in COMMANDS), ["demo"], ["load"]], ids=" ".join)
def test_every_command_of_a_stack_refuses_such_a_folder_in_one_line(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert run(fleetpulse, [*arguments, "--dir", str(file / "stack")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --dir")
    assert error.count("\n") == 1
