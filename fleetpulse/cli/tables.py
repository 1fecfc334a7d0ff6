"""Tables and lines of text, with all data escaped for the terminal."""

import sys
from collections.abc import Iterable

import click
from rich.console import Console
from rich.text import Text

from fleetpulse.printable import printable

_PIPE_CHARS = 240


def counted(number: int, noun: str) -> str:
    """So many of them: `1 record`, `2,000 records`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def console() -> Console:
    """Where tables go: as wide as the terminal, or wide enough for what reads a pipe."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_CHARS)


def cell(data: object, style: str = "") -> Text:
    """Data in a table: neither control characters nor rich's markup."""
    return Text(printable(str(data)), style=style)


def echo(*lines: str, err: bool = False) -> None:
    """Print lines that hold data."""
    for line in lines:
        click.echo(printable(line), err=err)


def echo_records(records: Iterable[bytes]) -> None:
    """Print records, a line each: byte for byte into a file or a pipe, and escaped on a terminal."""
    for record in records:
        if sys.stdout.isatty():
            echo(record.decode(errors="backslashreplace"))
        else:
            sys.stdout.buffer.write(record + b"\n")
            sys.stdout.buffer.flush()
