"""`--rules` at a submission: what is new in the file becomes a version; what was applied since is not taken back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.rulefiles.files import load
from fleetpulse.rulefiles.topic import Book
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.versions import USUAL_NOTICE_MS, Version
from jobs import monitor
from jobs.wiring import deciding, ruling, running
from jobs.wiring.ruling import next_version, report

ROOT = Path(__file__).resolve().parents[3]
NOW_MS = 1_767_225_600_000
VARIABLES = {
    "fleet": ("MAX_TEMPERATURE", "MIN_HUMIDITY"),
    "telemetry": (
        "TEMP_MIN_THRESHOLD",
        "TEMP_MAX_THRESHOLD",
        "HUMIDITY_MIN_THRESHOLD",
        "HUMIDITY_MAX_THRESHOLD",
    ),
}


def rules(name: str = "fleet", **environment: str) -> RuleSet:
    return load(ROOT / "rules" / f"{name}.yaml", environment)


def submitted(given: RuleSet, book: Book) -> tuple[Book, str | None]:
    """The topic after a submission with these rules, and the line that was printed."""
    version = next_version(book, given, NOW_MS)
    line = report(book, "rules", version, NOW_MS)
    return (book if version is None else _with(book, version, version)), line


def applied(given: RuleSet, book: Book) -> Book:
    """The topic after `fleetpulse rules apply`."""
    return _with(book, Version(book.next_number, NOW_MS + 1, given), book.submitted)


def _with(book: Book, version: Version, submitted: Version | None) -> Book:
    return Book((*book.versions, version), (), book.next_number + 1, submitted)


@pytest.fixture
def once() -> Book:
    """The topic after the first submission."""
    return submitted(rules(), Book((), (), 1))[0]


def test_the_first_rules_apply_from_the_beginning_of_time(once: Book) -> None:
    assert once.versions == (Version(1, 0, rules(), NOW_MS),)


@pytest.mark.parametrize(("name", "variable"), [(name, v) for name, names in VARIABLES.items() for v in names])
def test_a_changed_variable_becomes_a_new_version_at_the_next_submission(name: str, variable: str) -> None:
    book, _ = submitted(rules(name), Book((), (), 1))
    changed = rules(name, **{variable: "20"})
    after, line = submitted(changed, book)
    assert after.versions[1:] == (Version(2, NOW_MS + USUAL_NOTICE_MS, changed),)
    assert line == (
        "rules: --rules becomes version 2 on 'rules', for all jobs that read this topic, "
        "and takes effect at 2026-01-01T00:00:10.000Z (1 changed)"
    )
    back, _ = submitted(rules(name), after)
    assert back.versions[-1].rules == rules(name)


def test_the_same_rules_are_not_published_again(once: Book) -> None:
    assert submitted(rules(), once) == (once, None)


def test_rules_that_were_applied_since_stay_in_force_if_the_file_is_as_it_was(once: Book) -> None:
    book = applied(rules("telemetry"), once)
    after, line = submitted(rules(), book)
    assert after == book
    assert line == (
        "rules: --rules is as it was submitted last, version 1; "
        "version 2, applied to 'rules' since then, stays in force"
    )
    changed, _ = submitted(rules(MAX_TEMPERATURE="45"), book)
    assert changed.versions[-1].rules == rules(MAX_TEMPERATURE="45")


def test_rules_follow_those_that_were_only_applied_before() -> None:
    book = applied(rules("telemetry"), Book((), (), 1))
    after, line = submitted(rules(), book)
    assert after.versions[-1] == Version(2, NOW_MS + USUAL_NOTICE_MS, rules())
    assert line is not None
    assert "(2 added, 2 removed)" in line


def test_rules_that_are_in_force_already_are_not_published_whoever_applied_them(once: Book) -> None:
    book = applied(rules("telemetry"), once)
    assert submitted(rules("telemetry"), book)[0] == book


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize("file", [True, False], ids=["a file", "none"])
def test_a_job_that_runs_gets_its_rules_without_another_one(file: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[RuleSet] = []
    monkeypatch.setattr(deciding, "ensure_topics", lambda *_: [])
    monkeypatch.setattr(deciding, "rule_versions", lambda _servers, _topic, given: published.append(given))
    monkeypatch.setattr(running, "submit", lambda *_: pytest.fail("submitted"))
    monkeypatch.setenv("MIN_HUMIDITY", "15")
    words = ["--rules", str(ROOT / "rules" / "fleet.yaml")] if file else []
    assert run(monitor.command, ["--rules.only", *words]) == 0
    assert published == [rules(MIN_HUMIDITY="15")] * file


def test_a_version_that_is_acknowledged_too_late_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], once: Book
) -> None:
    def slow(_servers: str, _topic: str, decide: Callable[[Book], Version], submitted: bool) -> Version:
        assert submitted
        version = decide(once)
        monkeypatch.setattr(ruling, "_now_ms", lambda: NOW_MS + USUAL_NOTICE_MS + 1)
        return version

    monkeypatch.setattr(ruling, "_now_ms", lambda: NOW_MS)
    monkeypatch.setattr(ruling, "publish", slow)
    monkeypatch.setattr(ruling, "read_book", lambda *_: once)
    ruling.rule_versions("b:1", "rules", rules(MAX_TEMPERATURE="45"))
    takes_effect, too_late = capsys.readouterr().err.splitlines()
    assert takes_effect.startswith("rules: --rules becomes version 2")
    assert too_late.startswith("rules: version 2 was acknowledged only at 2026-01-01T00:00:10.001Z, after it took")
