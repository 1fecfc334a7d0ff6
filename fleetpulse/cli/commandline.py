"""Runs a click command so that every error is one line and an exit code."""

import sys

import click

from fleetpulse.cli.settings import without_former_spellings
from fleetpulse.errors import FleetpulseError
from fleetpulse.printable import printable


def run(command: click.Command, argv: list[str] | None = None) -> int:
    """Run `command` and return its exit code: 0, 1 (failed), 2 (bad input) or 130 (interrupted).

    Args:
        command: what to run.
        argv: arguments without the program's name; the process's own when None.
    """
    try:
        result = command.main(args=argv, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as help_asked:
        click.echo(help_asked.format_message())
        return 2
    except click.NoSuchOption as bad:
        return _fail(without_former_spellings(bad).format_message(), bad.exit_code)
    except click.ClickException as bad:
        return _fail(bad.format_message(), bad.exit_code)
    except FleetpulseError as failed:
        for fault in failed.faults:
            print(printable(fault), file=sys.stderr)
        return _fail(str(failed), failed.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return 130
    return result if isinstance(result, int) else 0


def _fail(message: str, exit_code: int) -> int:
    print("error: " + printable(" ".join(message.split())), file=sys.stderr)
    return exit_code
