"""`make bench`: all measurements, into docs/benchmarks.md; `python -m bench latency` runs one of them."""

import sys

import click

from bench import run
from bench.measurements import latency, memory, queries, readings, simulator, state
from bench.measurements.contenders import ROOT
from fleetpulse.cli.commandline import run as run_command
from fleetpulse.stack import lifecycle
from fleetpulse.stack.layout import layout

_PAGE = ROOT / "docs" / "benchmarks.md"
_ALL = {
    "contenders": run.main,
    "readings": readings.main,
    "memory": memory.main,
    "latency": latency.main,
    "state": state.main,
    "simulator": simulator.main,
    "queries": queries.main,
}


@click.group(commands=_ALL, invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Measure on the embedded stack, which is started if it does not run. Without a command: everything."""
    for program in lifecycle.up(layout(optional=["registry"])):
        click.echo(f"{program} is ready", err=True)
    if context.invoked_subcommand is None:
        for name, command in _ALL.items():
            click.echo(f"measuring {name}", err=True)
            command.main(["--output", str(_PAGE)], standalone_mode=False)


if __name__ == "__main__":
    sys.exit(run_command(main))
