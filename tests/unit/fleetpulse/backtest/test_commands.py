"""What `fleetpulse backtest` says on the command line."""

import json
from pathlib import Path

import click
import pytest

from fleetpulse.backtest.cli import command as backtest
from fleetpulse.backtest.options import History
from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.cli.settings import parse
from jobs import monitor
from jobs.wiring.arguments import Settings
from jobs.wiring.deciding import plan
from tests.unit.fleetpulse.backtest.histories import write_rules
from tests.unit.fleetpulse.shard.test_monitoring_shard import RULES, T0


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rules = write_rules(tmp_path / "rules.json", RULES)
    file = tmp_path / "history.jsonl"

    def backtest(lines: list[str], *arguments: str) -> tuple[int, str, str]:
        file.write_text("\n".join(lines))
        code = run(fleetpulse, ["backtest", "--json.lines", str(file), "--rules", str(rules), *arguments])
        return code, *capsys.readouterr()

    return backtest


def line(at_s: float, device: str = "d1") -> str:
    return f'{{"device_id": "{device}", "ts": {T0 + round(at_s * 1000)}}}'


FROM = "2026-01-01T00:01:00Z"


@pytest.mark.parametrize("until", ["1767225600", "1767225600000", "2026-01-01", "2026-01-01T00:00:59.999Z"])
def test_the_end_must_not_come_before_the_beginning(call, until: str) -> None:
    code, _, error = call([line(0)], "--from", FROM, "--until", until)
    assert code == 2
    assert error.startswith("error: --from: 2026-01-01T00:01:00.000Z is after --until 2026-01-01T00:00:")
    assert error.count("\n") == 1


@pytest.mark.parametrize("until", ["1767225660", FROM, "2026-01-02"])
def test_the_end_may_be_the_beginning_or_later(call, until: str) -> None:
    assert call([line(0)], "--from", FROM, "--until", until)[0] == 0


def test_files_without_rules_need_no_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    for name in ("KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS", "FLEETPULSE_KAFKA_BOOTSTRAP_SERVERS", "FLEETPULSE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "history.jsonl"
    file.write_text("\n".join([line(0, "d0"), *(line(at) for at in range(0, 300, 5))]))
    assert run(fleetpulse, ["backtest", "--json-lines", str(file), "--json"]) == 0
    output = capsys.readouterr()
    assert [json.loads(text)["device_id"] for text in output.out.splitlines()] == ["d0"]
    assert output.err.startswith("no --rules is given: silence alone is judged\n61 records in ")
    assert run(fleetpulse, ["backtest", "--json-lines", str(file), "--rules.topic", "rules"]) == 2
    assert "no broker is named" in capsys.readouterr().err


def test_one_record_is_one(call) -> None:
    assert call([line(0)])[1].startswith("1 record in ")


def test_a_line_ahead_of_its_neighbours_is_named_and_changes_nobody_s_alerts(call) -> None:
    lines = [line(at, f"d{device}") for at in range(0, 300, 5) for device in range(2) if (at, device) < (100, 0)]
    without = call([*lines, *(line(at, "d0") for at in range(100, 300, 5))], "--json")
    ahead = '{"device_id": "d0", "ts": "2036-02-07T06:28:16Z"}'
    with_it = call([*lines[:20], ahead, *lines[20:], *(line(at, "d0") for at in range(100, 300, 5))], "--json")
    assert with_it[0] == 0
    assert with_it[1] == without[1] != ""
    assert "line 21 (2036-02-07T06:28:16.000Z)" in with_it[2]
    assert "1 rejected (1 future_timestamp)" in with_it[2]


def test_a_line_that_cannot_be_read_ends_with_its_number_and_reason(call) -> None:
    code, printed, error = call([line(0), '{"kafka_time": "soon", "value": {}}'])
    assert (code, printed) == (2, "")
    assert "history.jsonl:2: kafka_time: 'soon' is neither" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("until", [(), ("--until", "2026-01-02")], ids=["to the end", "until an instant"])
@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize(
    ("lines", "warning"),
    [
        pytest.param([], "warning: no record was read", id="empty"),
        pytest.param(["", " "], "warning: no record was read", id="blank"),
        pytest.param(["rubbish"], "warning: the only record was rejected", id="one rejected"),
        pytest.param(["rubbish", "[1]"], "warning: all 2 records were rejected", id="rejected"),
        pytest.param(
            [f'{{"kafka_time": {T0}, "value": {n}}}' for n in range(3)],
            "warning: all 3 records were rejected",
            id="rejected in envelopes",
        ),
    ],
)
def test_a_history_of_which_nothing_was_accepted_does_not_look_decided(
    call, lines: list[str], warning: str, as_json: tuple[str, ...], until: tuple[str, ...]
) -> None:
    code, printed, error = call(lines, *as_json, *until)
    assert code == 0
    assert error.splitlines()[-1].startswith(warning)
    said = error if as_json else printed
    assert "; nothing was decided" in said
    assert "decided up to" not in said


def test_a_history_of_which_something_was_accepted_is_decided_without_a_warning(call) -> None:
    code, printed, error = call([line(0), "rubbish"])
    assert (code, error) == (0, "")
    assert "; decided up to 2025-12-31T23:59:57.999Z" in printed


def test_a_backtest_has_every_duration_of_the_job_that_decides() -> None:
    """The others say how a job runs. A new one belongs to a backtest too, or here."""
    left = names_of(monitor.command) - names_of(backtest)
    assert {name for name in left if name.endswith(".ms")} == {
        *("reconnect.grace.ms", "partition.discovery.interval.ms", "checkpoint.interval.ms"),
    }


def names_of(command: click.Command) -> set[str]:
    return {o.opts[0].removeprefix("--") for o in command.params if isinstance(o, click.Option)}


def test_the_settings_of_a_backtest_are_those_of_the_job_by_their_values_too() -> None:
    given = ["--timeout.ms", "20s", "--evaluation.period.ms", "10s", "--forget.after.ms", "5m"]
    given += ["--max.clock.offset.ms", "3m", "--out.of.orderness.ms", "5s", "--max.future.skew.ms", "30s"]
    given += ["--idle.timeout.ms", "9s"]
    settings = parse(History, given).settings
    planned = plan(monitor.DECISIONS, parse(Settings, given, monitor.DECISIONS.without), 3)
    assert settings.inactivity == planned.policy.inactivity
    assert settings.forget_after_ms == planned.policy.readings.forget_after_ms == 300_000
    assert (settings.out_of_orderness_ms, settings.max_future_skew_ms, settings.idle_timeout_ms) == (
        *(planned.source.out_of_orderness_ms, planned.source.max_future_skew_ms),
        planned.source.idle_timeout_ms,
    )


@pytest.mark.parametrize(
    "arguments",
    [["--forget.after.ms", "60s"], ["--max.clock.offset.ms", "1s"]],
    ids=["forgotten when silent", "clock within the skew"],
)
def test_settings_that_no_job_would_take_are_refused(call, arguments: list[str]) -> None:
    code, _, error = call([line(0)], *arguments)
    assert code == 2
    assert f"error: {arguments[0]}: " in error
    assert error.count("\n") == 1
