"""Rule files are read as a whole, or refused with every fault at its file, line and field."""

from pathlib import Path

import click
import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.durations import DurationMs
from fleetpulse.rulefiles.files import RuleFileError, load
from fleetpulse.rules.kinds.threshold import Threshold
from fleetpulse.rules.levels import Levels
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.rule import Scope
from jobs.wiring.ruling import given_rules
from tests.unit.fleetpulse.rulefiles.malformed import BATTERY, MALFORMED, Malformed, hot

HOT = Threshold(id="hot", metric="temperature_c", above=Levels(critical=50.0))


@pytest.fixture
def file(tmp_path: Path):
    def write(content: str | bytes, name: str = "rules.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.mark.parametrize("malformed", MALFORMED, ids=lambda m: m.id)
def test_what_is_wrong_is_told_with_its_place(malformed: Malformed, file) -> None:
    path = file(malformed.content, f"rules{malformed.suffix}")
    with pytest.raises(RuleFileError) as refused:
        load(path, malformed.environment)
    said = [line.replace(str(path), "FILE") for line in refused.value.lines]
    assert len(said) == len(malformed.said), said
    assert [line for line, begins in zip(said, malformed.said, strict=True) if not line.startswith(begins)] == []
    assert not any("\n" in line for line in said)


@pytest.mark.parametrize("malformed", MALFORMED, ids=lambda m: m.id)
def test_the_command_tells_it_in_lines_and_exits_with_2(malformed: Malformed, file, capsys, monkeypatch) -> None:
    for name, value in malformed.environment.items():
        monkeypatch.setenv(name, value)
    assert run(fleetpulse, ["rules", "check", str(file(malformed.content, f"rules{malformed.suffix}"))]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    faults = len(malformed.said)
    assert len(told.err.splitlines()) == (1 if faults == 1 else faults + 1)
    assert "Traceback" not in told.err


@click.command("job")
@click.option("--rules", type=click.Path(path_type=Path))
def job(rules: Path) -> None:
    given_rules(rules)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param((fleetpulse, "rules", "check", "RULES"), id="check"),
        pytest.param((fleetpulse, "rules", "diff", "RULES", "RULES"), id="diff"),
        pytest.param((fleetpulse, "backtest", "--json.lines", "RULES", "--rules", "RULES"), id="backtest"),
        pytest.param((job, "--rules", "RULES"), id="job"),
    ],
)
def test_every_command_prints_a_line_a_fault(command: tuple, file, capsys) -> None:
    path = str(file("rules:\n- 3\n- 4\n"))
    group, *arguments = command
    assert run(group, [path if argument == "RULES" else argument for argument in arguments]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{path}:2: rules[0]: expected a mapping, got 3",
        f"{path}:3: rules[1]: expected a mapping, got 4",
        "error: 2 faults in rule files; see above",
    ]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path, why in [(tmp_path / "none.yaml", "No such file or directory"), (tmp_path, "Is a directory")]:
        with pytest.raises(RuleFileError) as refused:
            load(path)
        assert str(refused.value) == f"{path}: cannot be read: {why}"


def test_placeholders_come_from_the_environment_or_their_default(file) -> None:
    path = file(hot("above:\n  critical: ${LIMIT:-50}\nfor: ${HOLD:-0s}\nscope:\n  devices: ['${SITE}-*', '${ID:-7}']"))
    (rule,) = load(path, {"SITE": "berlin"}).rules
    assert rule == Threshold(
        id="hot", metric="temperature_c", above=Levels(critical=50.0), scope=Scope(devices=("berlin-*", "7"))
    )
    (other,) = load(path, {"SITE": "b", "LIMIT": "-3.5", "HOLD": "5m", "ID": "8"}).rules
    assert (other.above, other.hold) == (Levels(critical=-3.5), DurationMs(300_000))
    assert other.scope == Scope(devices=("b-*", "8"))  # in quotes it stays text


def test_a_variable_is_a_value_and_never_more(file) -> None:
    path = file(hot("above:\n  critical: 50\nscope:\n  devices:\n    - ${IDS}"))
    ids = "[a, b] - kind: battery # ${OTHER}"
    (rule,) = load(path, {"IDS": ids}).rules
    assert rule.scope.devices == (ids,)
    with pytest.raises(RuleFileError, match=r"has control characters.* \(from IDS=") as refused:
        load(path, {"IDS": "a\n- kind: battery"})
    assert "\n" not in str(refused.value)


def test_placeholders_in_comments_are_comments(file) -> None:
    assert load(file(hot("above: {critical: 50}  # not ${HERE}")), {}) == RuleSet((HOT,))


def test_json_is_read_as_it_is_written(file) -> None:
    content = (
        '\t{"rules"\t:\t[\n\t{"kind": "threshold", "id": "hot", "metric": "temperature_c",'
        '\n\t"above": {"critical": %s}}]}'
    )
    assert load(file(content % '"${LIMIT:-50}"', "rules.json"), {}) == RuleSet((HOT,))
    assert load(file("\ufeff" + content % "5e1", "rules.JSON"), {}) == RuleSet((HOT,))
    whole = '{"rules": [{"kind": "never_seen", "id": "a", "devices": ["\\ud83d\\ude00\\/"], "within": "5s"}]}'
    assert load(file(whole, "rules.json"), {}).rules[0].devices == ("😀/",)


def test_aliases_stand_for_what_they_name(file) -> None:
    shared = "rules:\n- {kind: battery, id: &x a, below: &x {critical: 5}}\n- {kind: battery, id: b, below: *x}\n"
    one, other = load(file(shared)).rules
    assert one.below == other.below == Levels(critical=5.0)


def test_what_looks_like_a_date_is_text(file) -> None:
    (rule,) = load(file(hot("above: {critical: 50}\nscope: {sites: [2026-01-01]}"))).rules
    assert rule.scope.sites == ("2026-01-01",)


def test_several_files_are_one_set(file) -> None:
    first, second = file(hot("above: {critical: 50}"), "a.yaml"), file(f"rules:\n{BATTERY}", "b.yaml")
    assert [rule.id for rule in load([first, second]).rules] == ["hot", "empty"]
    with pytest.raises(RuleFileError) as refused:
        load([first, second, second])
    assert refused.value.lines == [f"{second}:3: rules[0].id: 'empty' stands twice"]


def test_no_more_than_twenty_faults_are_told(file) -> None:
    with pytest.raises(RuleFileError) as refused:
        load(file("rules:\n" + "- 3\n" * 25))
    assert refused.value.count == 25
    assert refused.value.lines[-1] == "and 5 more"
    assert len(refused.value.lines) == 21
