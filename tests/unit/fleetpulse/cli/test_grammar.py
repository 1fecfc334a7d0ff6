"""One grammar of settings, held over every option of every command."""

import re
from pathlib import Path

import click
import pytest

from bench.__main__ import ALL as BENCH
from fleetpulse.cli.database import Database
from fleetpulse.cli.parameters import Duration, Instant, Number, Servers, Url
from fleetpulse.cli.reference import commands, jobs, variables
from fleetpulse.cli.settings import Setting

COMMANDS = {
    **{f"jobs.{name}": command for name, command in jobs().items()},
    **commands(),
    **{f"bench {name}": command for name, command in BENCH.items()},
}
OPTIONS = [
    pytest.param(command, option, id=f"{name} {option.opts[0]}")
    for name, command in COMMANDS.items()
    for option in command.params
    if isinstance(option, click.Option)
]
DOTTED = re.compile(r"--[a-z]+(\.[a-z]+)*")
# Flags that are written with a dash, as they are everywhere.
DASHED_FLAGS = {"--dry-run", "--no-inactivity"}
RIDDLES = re.compile(r"\b(told|tells|is none|what is so|says of)\b")

# What commands were given before there was one grammar, and what it is now.
FORMER = {
    ("backtest", "--json-lines"): "--json.lines",
    ("database migrate", "--dsn"): "--database.url",
    ("explain", "--database"): "--database.url",
    ("explain", "--json-lines"): "--json.lines",
    ("explain", "--lookback"): "--lookback.seconds",
    ("generate", "--backfill"): "--backfill.seconds",
    ("generate", "--clock-ahead.devices"): "--clock.ahead.devices",
    ("generate", "--clock-behind.devices"): "--clock.behind.devices",
    ("generate", "--drift.per-day"): "--drift.per.day",
    ("generate", "--evaluation-period.seconds"): "--evaluation.period.seconds",
    ("generate", "--out-of-order.rate"): "--out.of.order.rate",
    ("generate", "--out-of-orderness.ms"): "--out.of.orderness.ms",
    ("generate", "--site-outage.seconds"): "--site.outage.seconds",
    ("sensors", "--sampling.interval"): "--sampling.interval.seconds",
    ("stack savepoint", "--flink-rest"): "--flink.rest",
    ("stack submit", "--flink-python"): "--flink.python",
    ("stack submit", "--flink-rest"): "--flink.rest",
    ("stack up", "--port-offset"): "--port.offset",
    ("bench latency", "--warm-up"): "--warm.up.seconds",
    ("bench latency", "--seconds"): "--duration.seconds",
    ("bench queries", "--server"): "--database.url",
}


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_a_name_is_dotted_and_in_lower_case(command: click.Command, option: click.Option) -> None:
    assert DOTTED.fullmatch(option.opts[0]) or (option.is_flag and option.opts[0] in DASHED_FLAGS)


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_an_option_is_declared_by_the_shared_definition(command: click.Command, option: click.Option) -> None:
    assert isinstance(option, Setting)


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_a_duration_is_of_the_shared_type_and_its_name_ends_with_its_unit(
    command: click.Command, option: click.Option
) -> None:
    unit = {".ms": "ms", ".seconds": "s"}
    suffix = next((suffix for suffix in unit if option.opts[0].endswith(suffix)), None)
    assert (suffix is not None) == isinstance(option.type, Duration)
    if isinstance(option.type, Duration):
        assert option.type.unit == unit[str(suffix)]


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_a_number_is_finite_and_a_port_has_its_range(command: click.Command, option: click.Option) -> None:
    assert type(option.type) is not click.FloatRange
    assert type(option.type) is not click.IntRange
    assert option.type not in (click.FLOAT, click.INT)
    if option.opts[0].endswith(".port"):
        assert isinstance(option.type, click.IntRange)
        assert option.type.max == 65535
    if option.opts[0] == "--database.url":
        assert isinstance(option.type, Database)
    elif option.opts[0].endswith(".url"):
        assert isinstance(option.type, Url)
    if option.opts[0] in ("--kafka.bootstrap.servers", "--flink.rest"):
        assert isinstance(option.type, Servers)
    if option.opts[0] in ("--from", "--until", "--since", "--start", "--effective.from"):
        assert isinstance(option.type, Instant)


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_a_setting_is_read_from_its_own_variable_and_a_flag_is_not(
    command: click.Command, option: click.Option
) -> None:
    own = "FLEETPULSE_" + option.opts[0].removeprefix("--").replace(".", "_").upper()
    assert variables(option)[-1:] in ([], [own])
    if option.is_flag:
        assert variables(option) == []


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_help_is_a_sentence(command: click.Command, option: click.Option) -> None:
    help_ = str(option.help)
    sentence = help_.partition("  [default: ")[0]
    assert sentence.endswith(".")
    assert not RIDDLES.search(help_)


def test_the_types_of_numbers_and_addresses_are_in_use() -> None:
    """So that the test above cannot pass because nothing is of these types."""
    used = {type(parameter.type) for command in COMMANDS.values() for parameter in command.params}
    assert {Duration, Instant, Number, Servers, Url, Database} <= used


def test_every_former_name_is_in_the_table() -> None:
    found = {
        (name, alias): option.opts[0]
        for name, command in COMMANDS.items()
        for option in command.params
        if isinstance(option, Setting)
        for alias in option.aliases
    }
    assert found == FORMER


@pytest.mark.parametrize(("name", "former"), FORMER)
def test_a_former_name_is_read_as_the_present_one_and_not_shown(name: str, former: str, tmp_path: Path) -> None:
    command, present = COMMANDS[name], FORMER[name, former]
    option = next(o for o in command.params if isinstance(o, click.Option) and o.opts[0] == present)
    value = a_value_of(option, tmp_path)
    arguments = required_by(command)
    read = [
        command.make_context(name, [spelling, value, *arguments]).params[str(option.name)]
        for spelling in (former, present)
    ]
    assert read[0] == read[1] is not None
    assert former not in command.get_help(click.Context(command)).split()


def a_value_of(option: click.Option, folder: Path) -> str:
    if isinstance(option.type, click.Path):
        file = folder / "file"
        file.touch()
        return str(file)
    if isinstance(option.type, Servers):
        return "flink:8081"
    if isinstance(option.type, Database):
        return "postgresql://db/monitoring"
    return "20" if isinstance(option.type, Duration) else "1"


def required_by(command: click.Command) -> list[str]:
    values = {"ALERT_ID": "6355e389-c58d-5676-9304-084bcee90f1b", "job": "monitor"}
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    return [values.get(argument.metavar or str(argument.name), "x") for argument in arguments if argument.required]
