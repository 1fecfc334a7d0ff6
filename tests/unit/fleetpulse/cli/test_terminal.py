"""Nothing of data that a terminal would obey reaches it, from whatever command or log."""

import io
import json
import logging
import sys
import unicodedata
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from fleetpulse.backtest import show as backtest_show
from fleetpulse.backtest.changes import Changes
from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.cli.tables import echo, echo_records
from fleetpulse.deadletters import show as letters_show
from fleetpulse.deadletters.letter import Letter, LetterState, Position, Verdict
from fleetpulse.kafka import cli as kafka_cli
from fleetpulse.printable import printable
from fleetpulse.rulefiles import show as rules_show
from fleetpulse.rules import model
from fleetpulse.rules.parts import RuleError
from fleetpulse.rules.versions import Version
from fleetpulse.stack.demo import view as demo_view
from fleetpulse.stack.demo.observe import Alert, Health
from udfs.deciding import Decide

# Clears the screen, sets colours by C0 and C1, turns writing round, goes back, rings, and ends lines in three ways.
HOSTILE = "a\x1b[2J\x9b31m\u202eb\rc\x07\x00\x7f\u2028\u2029\x85\u200b[red]"
OBEYED = {c for c in map(chr, range(0x3000)) if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}


def assert_harmless(text: str, *, lines: int | None = None) -> None:
    assert not set(text) & OBEYED
    if lines is not None:
        assert text.count("\n") == lines


def drawn(renderable: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=400).print(renderable)
    return out.getvalue()


@given(st.text())
def test_what_is_printable_stays_and_all_else_is_escaped(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    if text.isprintable():
        assert shown == text


@pytest.mark.parametrize("char", ["\ud800", "\U000e0001", "\x1b", "\x9b", "\n", "\t", "\u202e", "\ufeff"])
def test_each_kind_is_escaped_as_python_would(char: str) -> None:
    assert printable(f"a{char}b") == "a" + repr(char)[1:-1] + "b"


@pytest.mark.parametrize("text", ["Süd", "12 °C", "日本", "🙂", "5 µm, „quoted“"])
def test_text_of_any_script_is_left_alone(text: str) -> None:
    assert printable(text) == text


def test_lines_are_lines_whatever_their_data(capsys: pytest.CaptureFixture[str]) -> None:
    echo(f"one {HOSTILE}", f"two {HOSTILE}")
    assert_harmless(capsys.readouterr().out, lines=2)


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fleetpulse, ["generate", "--topic", HOSTILE.replace("\x00", "")]) == 2
    assert_harmless(capsys.readouterr().err, lines=1)


def letter() -> Letter:
    origin = Position(HOSTILE, 2, 17)
    value = json.dumps({"device_id": HOSTILE}, ensure_ascii=False).encode()
    return Letter(Position(HOSTILE, 1, 5), origin, HOSTILE, 0, 0, HOSTILE.encode(), value)


@pytest.mark.parametrize("value", [None, HOSTILE.encode(), b"\xff\x9b31m", b'{"device_id": "\x1b[2J"'])
def test_dead_letters(value: bytes | None) -> None:
    found = letter() if value is None else letter()._replace(value=value)
    verdict = Verdict(LetterState.REPLAYABLE, 0)
    assert_harmless(letters_show.details(found, verdict))
    assert_harmless(drawn(letters_show.listing([(found, verdict)])), lines=2)
    assert_harmless(drawn(letters_show.statistics([(found, verdict)])), lines=2)


def test_backtests() -> None:
    made = Mock(rule_id=HOSTILE, severity=HOSTILE, state="open", changed_at_ms=0, opened_at_ms=0, summary=HOSTILE)
    assert_harmless(drawn(backtest_show.counts([made])), lines=2)
    assert_harmless(drawn(backtest_show.listing([made])), lines=2)
    assert_harmless(drawn(backtest_show.change_counts(Changes([made], [], 0))), lines=2)
    assert_harmless(drawn(backtest_show.change_listing([("gained", made)])), lines=2)


def test_rules_and_their_versions() -> None:
    rules = model.read({"rules": [{"kind": "threshold", "id": "hot", "metric": "m", "above": {"critical": 1}}]})
    hostile = model.RuleSet(tuple(type(rule)(**_renamed(rule)) for rule in rules.rules))
    assert_harmless(drawn(rules_show.rules(hostile)), lines=2)
    assert_harmless(drawn(rules_show.versions((Version(1, 1, hostile),), 5)), lines=2)


def _renamed(rule: Any) -> dict[str, Any]:
    values = {name: getattr(rule, name) for name in rule.__struct_fields__}
    return values | {"id": HOSTILE, "metric": HOSTILE}


def test_the_view_of_the_demo() -> None:
    alert = Alert(datetime(2026, 1, 1, tzinfo=UTC), "open", HOSTILE)
    figures = Mock(known=1, silent=0, anomalies=0, read=1, late=0, rejected=0, watermark_lag_ms=1)
    moment = demo_view.Moment(figures, 1.0, Mock(newest=[alert], total=1, open=1), Health(), 1.0)
    assert_harmless(drawn(demo_view._screen(moment)))
    out = io.StringIO()
    demo_view._Lines(Console(file=out, width=400)).show(moment)
    assert_harmless(out.getvalue())


def test_records_are_escaped_on_a_terminal_and_whole_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    record = HOSTILE.encode() + b"\xff"
    echo_records([record])
    assert capfdbinary.readouterr().out == record + b"\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    echo_records([record])
    assert_harmless(capfdbinary.readouterr().out.decode(), lines=1)


@pytest.mark.usefixtures("broker")
def test_watching_a_topic_prints_records_so(monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[bytes] = []
    monkeypatch.setattr(kafka_cli, "_values", lambda *_: iter([HOSTILE.encode()]))
    monkeypatch.setattr(kafka_cli, "echo_records", printed.extend)
    assert run(fleetpulse, ["kafka", "watch", "events"]) == 0
    assert printed == [HOSTILE.encode()]


def test_logs_of_workers(caplog: pytest.LogCaptureFixture) -> None:
    decide = Decide.__new__(Decide)
    decide._gauges = Mock()
    shard = Mock(learn=Mock(side_effect=RuleError(HOSTILE, HOSTILE)))
    with caplog.at_level(logging.WARNING):
        assert decide._learn(shard, b"") == []
    [record] = caplog.records
    assert_harmless(record.getMessage(), lines=0)
