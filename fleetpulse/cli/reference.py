"""Writes docs/configuration.md from the settings themselves; see `make docs`."""

import importlib
from collections.abc import Iterator

import click

from fleetpulse.cli.main import COMMANDS
from fleetpulse.cli.parameters import Duration
from fleetpulse.cli.settings import Setting, shown

JOBS = ("inactivity", "anomaly", "aggregate", "monitor", "rollup", "archive", "cold")

_INTRODUCTION = """\
# Configuration

Every setting of every job and command. `make docs` makes this page from the settings themselves; a test compares it.

Four rules hold everywhere:

- A value comes from the argument, else from the environment variables in the order of the table, else from the default.
  Flags are arguments only. An empty variable counts as absent.
- A duration is a number with a unit, `500ms`, `2s`, `5m`, `1h` or `7d`, or a bare number of the unit that the name ends
  with: milliseconds (`.ms`) or seconds (`.seconds`).
- An instant is ISO 8601 (without an offset: UTC), a date alone, or a number since the epoch whose unit follows from its
  magnitude: below 10^11 seconds, below 10^14 milliseconds, below 10^17 microseconds, else nanoseconds.
- Lists are separated by `;` or `,`. The database is a URL, `postgresql://…` or `jdbc:postgresql://…`.

Bad values end with one line and exit code 2 before anything is submitted, sent or measured. `--help` prints the same
settings. Former names are still read."""


def page() -> str:
    """The whole page as Markdown."""
    sections = [_INTRODUCTION, "## Jobs\n\n`python -m jobs.NAME`, or `fleetpulse stack submit NAME -- …`."]
    for name, command in jobs().items():
        sections.append(_section(f"### {name}", command))
    sections.append("## Commands\n\nEach also takes `-h` or `--help`.")
    for name, command in commands().items():
        if any(isinstance(parameter, click.Option) for parameter in command.params):
            sections.append(_section(f"### fleetpulse {name}", command))
    return "\n\n".join(sections) + "\n"


def jobs() -> dict[str, click.Command]:
    """The command of each job."""
    return {name: importlib.import_module(f"jobs.{name}").command for name in JOBS}


def commands() -> dict[str, click.Command]:
    """The subcommands of `fleetpulse`, those of groups by both their names."""
    found: dict[str, click.Command] = {}
    for name, subcommand in sorted(COMMANDS.items()):
        found |= dict(_flat(name, subcommand.load()))
    return found


def _flat(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for part, subcommand in sorted(command.commands.items()):
            yield from _flat(f"{name} {part}", subcommand)
    else:
        yield name, command


def _section(heading: str, command: click.Command) -> str:
    rows = [_row(parameter) for parameter in command.params if isinstance(parameter, click.Option)]
    meaning = command.get_short_help_str(200)
    head = ["| setting | environment | default | value | meaning |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([heading, "", meaning, "", *head, *rows])


def _row(option: click.Option) -> str:
    meaning, _, described = (option.help or "").partition("  [default: ")
    former = ", ".join(f"`{alias}`" for alias in getattr(option, "aliases", ()))
    cells = (
        ", ".join(f"`{name}`" for name in option.opts),
        ", ".join(f"`{name}`" for name in variables(option)),
        described.removesuffix("]") or _default(option),
        _value(option),
        meaning + (f" Formerly {former}." if former else ""),
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def variables(option: click.Option) -> list[str]:
    """The variables of the environment that an option is read from, the first that counts first."""
    names = option.envvar or []
    return [names] if isinstance(names, str) else [*names]


def _default(option: click.Option) -> str:
    if isinstance(option.show_default, str):
        return option.show_default
    if option.required:
        return "required"
    if option.is_flag or not isinstance(option, Setting) or not has_default(option):
        return ""
    return f"`{shown(option)}`"


def has_default(option: click.Option) -> bool:
    """Whether an option has a value when nobody gives one."""
    return option.to_info_dict()["default"] is not None


def _value(option: click.Option) -> str:
    if option.is_flag:
        return "flag"
    kind = option.type
    if isinstance(kind, click.Choice):
        return " \\| ".join(f"`{choice}`" for choice in kind.choices).replace("\\|", "or")
    if isinstance(kind, Duration):
        return f"duration, {kind.range}"
    if isinstance(kind, click.IntRange | click.FloatRange):
        what = "whole number" if isinstance(kind, click.IntRange) else "number"
        ends = [f"{word} {end:,.10g}" for word, end in (("from", kind.min), ("to", kind.max)) if end is not None]
        return " ".join([what, *ends])
    return kind.name.replace(" filename", "")


if __name__ == "__main__":
    print(page(), end="")
