"""`make bench`: all measurements, into docs/benchmarks.md; `python -m bench latency` runs one of them."""

import copy
import sys
from pathlib import Path
from typing import Any

import click

from bench import run
from bench.measurements import latency, memory, queries, readings, simulator, state
from bench.measurements.contenders import ROOT
from bench.report import prepare
from fleetpulse.cli.commandline import run as run_command
from fleetpulse.stack import lifecycle
from fleetpulse.stack.layout import layout

_PAGE = ROOT / "docs" / "benchmarks.md"


def _on_the_stack(section: str, command: click.Command) -> click.Command:
    """A measurement that begins only when its figures can be written and the stack is ready."""
    measure = command.callback
    assert measure is not None

    def checked(output: Path | None, **values: Any) -> Any:
        prepare(output, section)
        for program in lifecycle.up(layout(values.get("folder"), optional=["registry"])):
            click.echo(f"{program} is ready", err=True)
        return measure(output=output, **values)

    made = copy.copy(command)
    made.callback = checked
    return made


ALL = {
    name: _on_the_stack(name, command)
    for name, command in {
        "contenders": run.main,
        "readings": readings.main,
        "memory": memory.main,
        "latency": latency.main,
        "state": state.main,
        "simulator": simulator.main,
        "queries": queries.main,
    }.items()
}


@click.group(commands=ALL, invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Measure on the embedded stack, which is started if it does not run. Without a command: everything."""
    if context.invoked_subcommand is None:
        prepare(_PAGE, *ALL)
        for name, command in ALL.items():
            click.echo(f"measuring {name}", err=True)
            command.main(["--output", str(_PAGE)], standalone_mode=False)


if __name__ == "__main__":
    sys.exit(run_command(main))
