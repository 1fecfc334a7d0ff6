"""`fleetpulse rules` says in one line what is wrong with its arguments, and shows what is right."""

import json
from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.records.arriving import Arriving
from fleetpulse.rulefiles import cli
from fleetpulse.rulefiles.topic import Book
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.versions import NOTICE_MS, Version

NOW_MS = 1_767_225_600_000
RULE = "rules:\n- {kind: battery, id: %s, below: {critical: %s}}\n"


@pytest.fixture
def file(tmp_path: Path):
    def write(id_: str, limit: object) -> str:
        path = tmp_path / f"{id_}-{limit}.yaml"
        path.write_text(RULE % (id_, limit))
        return str(path)

    return write


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, broker: str) -> list[Version]:
    """What is on a topic that is a list, at an instant that stands still."""
    versions: list[Version] = []

    def book(*_: object) -> Book:
        return Book(tuple(versions), (), len(versions) + 1)

    def publish(_bootstrap: str, _topic: str, decide) -> Version | None:
        if (version := decide(book())) is not None:
            versions.append(version)
        return version

    monkeypatch.setattr(cli, "_now_ms", lambda: NOW_MS)
    monkeypatch.setattr(cli, "ensure_topics", lambda *_: [])
    monkeypatch.setattr(cli, "publish", publish)
    monkeypatch.setattr(cli, "read_book", book)
    return versions


def call(*arguments: str) -> int:
    return run(fleetpulse, ["rules", *arguments])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check"], "Missing argument 'FILE...'"),
        (["apply"], "Missing argument 'FILE...'"),
        (["apply", "FILE", "--effective.from", "soon"], "'soon' is neither ISO 8601"),
        (
            ["apply", "FILE", "--effective.from", "2026-01-01"],
            "--effective.from: 2026-01-01T00:00:00.000Z is not at least",
        ),
        (["apply", "FILE", "--effective.from", str(NOW_MS + NOTICE_MS - 1)], "is not at least 2 s ahead of now"),
        (["apply", "FILE", "--rules.topic", "a b"], "'a b' is no topic name"),
        (["list", "--rules.topic", ".."], "'..' is no topic name"),
        (["list", "--kafka.bootstrap.servers", "kafka"], "'kafka' is not host:port"),
        (["show", "0"], "'0': expected a whole number from 1"),
        (["diff"], "expected one file, two files, or --versions and two numbers"),
        (["diff", "FILE", "FILE", "FILE"], "expected one file, two files, or --versions and two numbers"),
        (["diff", "FILE", "--versions", "1", "2"], "expected one file, two files, or --versions and two numbers"),
        (["diff", "--versions", "1"], "requires 2 arguments"),
    ],
)
def test_bad_arguments_are_one_line(arguments: list[str], said: str, file, published, capsys) -> None:
    assert call(*[file("low", 5) if argument == "FILE" else argument for argument in arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert published == []


def test_check_tells_what_the_set_contains(file, capsys) -> None:
    assert call("check", file("low", 5), file("lower", 3)) == 0
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert told[1] == ["low", "battery", "below.critical", "5"]
    assert told[-1] == ["2", "rules:", "2", "battery"]


@pytest.mark.parametrize("command", ["check", "apply"])
def test_warnings_stand_apart_and_refuse_nothing(command: str, tmp_path: Path, published, capsys) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("rules:\n  - {kind: inactivity, id: everybody, timeout: 5m}\n")
    meters = "- {kind: inactivity, id: meters, timeout: 25h, scope: {devices: [meter-*]}}\n"
    second.write_text(f"rules:\n{RULE.splitlines()[1]}\n{meters}" % ("low", 5))
    assert call(command, str(first), str(second)) == 0
    told = capsys.readouterr()
    assert told.err.partition("broker ")[0] == (
        f"warning: {second}:3: rules[1]: has no effect: of several rules for a device the first counts, and 'everybody'"
        " comes first\n"
    )
    assert "3 rules" in told.out
    assert "warning" not in told.out
    assert len(published) == (command == "apply")


def test_a_version_takes_effect_in_ten_seconds_or_when_it_is_told_to(file, published, capsys) -> None:
    assert call("apply", file("low", 5)) == 0
    assert call("apply", file("low", 6), "--effective.from", str(NOW_MS + NOTICE_MS)) == 0
    assert call("apply", file("low", 7), "--effective.from", "2026-01-01T00:01:00Z") == 0
    assert [(v.version, v.effective_from_ms - NOW_MS) for v in published] == [(1, 10_000), (2, 2_000), (3, 60_000)]
    assert capsys.readouterr().out.splitlines() == [
        "version 1 takes effect at 2026-01-01T00:00:10.000Z: 1 rule (1 added)",
        "version 2 takes effect at 2026-01-01T00:00:02.000Z: 1 rule (1 added)",
        "version 1 replaces it at 2026-01-01T00:00:10.000Z",
        "version 3 takes effect at 2026-01-01T00:01:00.000Z: 1 rule (1 changed)",
    ]


def test_a_set_that_is_in_force_then_is_not_published_again(file, published, capsys) -> None:
    assert [call("apply", file("low", 5)) for _ in range(2)] == [0, 0]
    assert len(published) == 1
    assert "unchanged: version 1, from 2026-01-01T00:00:10.000Z, has these rules" in capsys.readouterr().out
    assert call("apply", file("low", 5), "--effective.from", str(NOW_MS + 5_000)) == 0
    assert len(published) == 2  # not in force yet then


def test_an_invalid_set_is_not_published(file, published) -> None:
    assert call("apply", file("low", "hot")) == 2
    assert published == []


def test_a_version_that_was_acknowledged_too_late_is_a_failure(file, published, monkeypatch, capsys) -> None:
    def slow(_bootstrap: str, _topic: str, decide) -> Version | None:
        version = decide(Book((), (), 1))
        monkeypatch.setattr(cli, "_now_ms", lambda: NOW_MS + 10_001)
        return version

    monkeypatch.setattr(cli, "publish", slow)
    assert call("apply", file("low", 5)) == 1
    assert "acknowledged only at 2026-01-01T00:00:10.001Z, after it took effect" in capsys.readouterr().err


def test_list_tells_what_is_in_force(file, published, capsys) -> None:
    for number, from_ms in ((1, 0), (2, NOW_MS), (3, NOW_MS + 1)):
        published.append(Version(number, from_ms, RuleSet(())))
    assert call("list") == 0
    assert [line.split()[:1] + line.split()[2:4] for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["1", "replaced", "0"],
        ["2", "in", "force"],
        ["3", "to", "come"],
    ]


def test_diff_compares_files_what_is_in_force_and_versions(file, published, capsys, monkeypatch) -> None:
    assert call("diff", file("low", 5), file("low", 6)) == 0
    assert capsys.readouterr().out == "~ low: below.critical: 5 → 6\n"
    assert call("apply", file("low", 5)) == call("apply", file("low", 7), "--effective.from", str(NOW_MS + 60_000)) == 0
    monkeypatch.setattr(cli, "_now_ms", lambda: NOW_MS + 10_000)
    capsys.readouterr()
    assert (
        call("diff", file("low", 6), "--json")
        == call("diff", "--versions", "2", "1")
        == call("diff", file("low", 5))
        == 0
    )
    first, *others = capsys.readouterr().out.splitlines()
    assert json.loads(first)["changed"] == [{"id": "low", "field": "below.critical", "before": 5.0, "after": 6.0}]
    assert others == ["~ low: below.critical: 7 → 5", "no difference"]
    assert call("diff", "--versions", "1", "3") == 2
    assert "there is no version 3; there are: 1, 2" in capsys.readouterr().err


def test_show_writes_a_file_that_is_the_same_set(file, published, capsys, tmp_path: Path) -> None:
    assert call("apply", file("low", 5)) == 0
    capsys.readouterr()
    assert call("show", "1") == 0
    shown = tmp_path / "shown.yaml"
    shown.write_text(capsys.readouterr().out)
    assert shown.read_text().startswith("# version 1 on rules, in force from 2026-01-01T00:00:10.000Z\n")
    assert call("diff", str(shown), file("low", 5)) == 0
    assert capsys.readouterr().out == "no difference\n"


FUEL = "rules:\n- {kind: threshold, id: fuel, metric: fuel_l, below: {critical: 5}}\n"


@pytest.mark.parametrize("command", ["check", "apply", "diff", "test"])
def test_every_command_that_reads_rules_warns_of_a_metric_that_may_not_come(
    command: str, tmp_path: Path, published, capsys
) -> None:
    path = tmp_path / "fuel.yaml"
    path.write_text(FUEL if command != "test" else FUEL + "records: []\nexpect: []\n")
    assert call(command, str(path)) == 0
    said = capsys.readouterr()
    assert said.err.startswith(f"warning: {path}")
    assert "`fuel_l` comes only in records that name it" in said.err
    assert "warning" not in said.out


ALONE = "telemetry has temperature_c, humidity, lat and lon alone: send it as"


@pytest.mark.usefixtures("broker")
def test_check_says_what_arrives_and_which_rules_get_nothing(tmp_path: Path, monkeypatch, capsys) -> None:
    found = Arriving()
    values = [b'{"device_id": "a", "humidity": 3, "fuel_l": 4, "temperature": 2}', b"[]"]
    found.take(values, [NOW_MS] * 2, 0)
    monkeypatch.setattr(cli, "reach", lambda servers: servers)
    monkeypatch.setattr(cli, "sample", lambda _servers, topics: found if topics == ("telemetry.raw",) else None)
    path = tmp_path / "fuel.yaml"
    path.write_text(FUEL)
    assert call("check", str(path), "--topic", "telemetry.raw") == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[2:] == [
        "1 rule: 1 threshold",
        "the last 2 records, of 1 device: humidity in 1",
        "rejected: 1 as not_an_object: the value is valid JSON but not an object",
        "dropped: `fuel_l` in 1: " + ALONE + ' "event_type": "custom", "name": "fuel_l", "value": …',
        "dropped: `temperature` in 1: it is called `temperature_c`, in °C",
    ]
    assert (
        said.err.splitlines()[-1] == f"warning: {path}:2: rules[0].metric: no record has `fuel_l`: 'fuel' never fires"
    )
    path.write_text(FUEL.replace("fuel_l", "humidity"))
    assert call("check", str(path), "--topic", "telemetry.raw") == 0
