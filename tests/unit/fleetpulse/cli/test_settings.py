"""One definition: the option of a command and the field of a typed object."""

from dataclasses import FrozenInstanceError, dataclass

import click
import pytest
from click.testing import CliRunner

from fleetpulse.cli.commandline import run
from fleetpulse.cli.parameters import Duration, Topics
from fleetpulse.cli.settings import FLAG, group, parse, setting, takes


@dataclass(frozen=True, kw_only=True)
class Watching:
    timeout_ms: int = setting("timeout.ms", Duration(), "How long.", default=60_000, aliases=("--time-out",))


@dataclass(frozen=True, kw_only=True)
class Settings:
    topics: tuple[str, ...] = setting("events.topic", Topics(), "Which.", default=("events",), variables=("TOPIC_OLD",))
    loud: bool = setting("loud", FLAG, "Whether.")
    watching: Watching = group(Watching)
    other: Watching | None = group(Watching)


def read(*arguments: str) -> Settings:
    return parse(Settings, arguments, without=["other"])


def test_a_command_gets_a_finished_object_with_its_groups() -> None:
    assert read() == Settings(topics=("events",), loud=False, watching=Watching(timeout_ms=60_000), other=None)
    assert read("--events.topic", "a;b", "--loud", "--timeout.ms", "2s") == Settings(
        topics=("a", "b"), loud=True, watching=Watching(timeout_ms=2_000), other=None
    )


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        read().loud = True


def test_a_group_that_a_command_does_not_have_has_no_options() -> None:
    with pytest.raises(click.NoSuchOption):
        parse(Settings, ["--timeout.ms", "1"], without=["watching", "other"])


def test_a_former_spelling_is_read_and_the_present_one_is_what_messages_say() -> None:
    assert read("--time-out", "3s").watching.timeout_ms == 3_000
    with pytest.raises(click.BadParameter) as refused:
        read("--time-out", "soon")
    assert "--timeout.ms" in refused.value.format_message()
    assert "--time-out" not in refused.value.format_message()


@pytest.mark.parametrize(
    ("mistyped", "suggested"),
    [("--time-outs", ""), ("--timeouts.ms", " Did you mean '--timeout.ms'?"), ("--lound", " Did you mean '--loud'?")],
)
def test_what_is_suggested_for_a_mistyped_option_is_no_former_spelling(mistyped: str, suggested: str, capsys) -> None:
    @click.command()
    @takes(Settings, without=["other"])
    def command(settings: Settings) -> None:
        """Do it."""

    assert run(command, [mistyped, "5"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: No such option '{mistyped}'.")
    assert "--time-out'" not in said
    assert suggested in said


def test_arguments_come_before_named_variables_and_those_before_the_general_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLEETPULSE_EVENTS_TOPIC", "general")
    assert read().topics == ("general",)
    monkeypatch.setenv("TOPIC_OLD", "named")
    assert read().topics == ("named",)
    monkeypatch.setenv("TOPIC_OLD", "")
    assert read().topics == ("general",)
    assert read("--events.topic", "given").topics == ("given",)


def test_a_flag_is_not_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETPULSE_LOUD", "1")
    assert not read().loud


def test_help_shows_defaults_as_people_write_them() -> None:
    @click.command()
    @takes(Settings, without=["other"])
    def command(settings: Settings) -> None:
        """Do it."""

    shown = CliRunner().invoke(command, ["--help"]).output
    assert "[default: 1m]" in shown
    assert "[default: events]" in shown
    assert "--time-out" not in shown
