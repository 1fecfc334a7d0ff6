"""The `fleetpulse` command: finds its subcommands by name and turns every error into one line and an exit code."""

import importlib
import importlib.util
import sys
from typing import NamedTuple

import click

from fleetpulse.cli.commandline import run


class Subcommand(NamedTuple):
    """Where a command is, as `command` of a module, and its line in the list of commands.

    A module is loaded when it is called: `fleetpulse generate` needs no database, and the list none of them.
    """

    module: str
    meaning: str

    @property
    def is_here(self) -> bool:
        """Whether its package is installed: an image has only some of them."""
        package = self.module.rpartition(".")[0]
        try:
            return importlib.util.find_spec(package) is not None
        except ModuleNotFoundError:
            return False

    def load(self) -> click.Command:
        """Import the command."""
        command: click.Command = importlib.import_module(self.module).command
        return command


COMMANDS = {
    "backtest": Subcommand(
        "fleetpulse.backtest.cli",
        "Run rules over past records with the jobs' code; needs no Flink and sends no alert.",
    ),
    "database": Subcommand("fleetpulse.database.cli", "Prepare the PostgreSQL or TimescaleDB that holds the alerts."),
    "demo": Subcommand(
        "fleetpulse.stack.demo.command", "Start everything, simulate a fleet, and watch its alerts arrive."
    ),
    "dlq": Subcommand("fleetpulse.deadletters.cli", "Look at rejected records, and put them back."),
    "doctor": Subcommand(
        "fleetpulse.doctor.cli",
        "Check all that Fleetpulse needs: this machine, the broker and its topics, jobs, rules and the database.",
    ),
    "explain": Subcommand(
        "fleetpulse.backtest.explain",
        "Show the rule that made an alert, and derive it again from its evidence and its device's records.",
    ),
    "generate": Subcommand(
        "generator.cli", "Simulate a fleet into Kafka, with faults, and write down which alerts must result."
    ),
    "index": Subcommand("fleetpulse.search.cli", "Write records to a search index as they come, until Ctrl-C."),
    "kafka": Subcommand("fleetpulse.kafka.cli", "Look at a Kafka cluster, wherever it runs."),
    "load": Subcommand(
        "fleetpulse.stack.demo.load",
        "Send telemetry at a steady rate; print the achieved rate, the job's lag and the latency of its alerts.",
    ),
    "rules": Subcommand(
        "fleetpulse.rulefiles.cli", "Check rule files, publish them as versions, and see which is in force."
    ),
    "sensors": Subcommand("generator.sensors", "Play sensors of a factory into Kafka, each at the pace of its type."),
    "stack": Subcommand(
        "fleetpulse.stack.cli", "Run a real Kafka, Flink and PostgreSQL on this machine, on the loopback interface."
    ),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(name for name, subcommand in COMMANDS.items() if subcommand.is_here)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return COMMANDS[cmd_name].load() if cmd_name in self.list_commands(ctx) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].meaning) for name in self.list_commands(ctx)])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="fleetpulse")
def fleetpulse() -> None:
    """Watches fleets of IoT devices: silence becomes an alert you can trust."""


def main(argv: list[str] | None = None) -> None:
    """Run the command line. Bad input ends with one line on standard error and exit code 2, never a traceback."""
    sys.exit(run(fleetpulse, argv))
