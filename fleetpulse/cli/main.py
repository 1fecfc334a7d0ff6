"""The `fleetpulse` command: finds its subcommands by name and turns every error into one line and an exit code."""

import importlib
import sys

import click

from fleetpulse.cli.commandline import run

# Subcommand -> module that holds it as `command`. Loaded when called, so that `fleetpulse generate` needs no database.
COMMANDS = {
    "backtest": "fleetpulse.backtest.cli",
    "database": "fleetpulse.database.cli",
    "demo": "fleetpulse.stack.demo.command",
    "dlq": "fleetpulse.deadletters.cli",
    "explain": "fleetpulse.backtest.explain",
    "generate": "generator.cli",
    "index": "fleetpulse.search.cli",
    "kafka": "fleetpulse.kafka.cli",
    "load": "fleetpulse.stack.demo.load",
    "rules": "fleetpulse.rulefiles.cli",
    "sensors": "generator.sensors",
    "stack": "fleetpulse.stack.cli",
}
PACKAGES = {module.rpartition(".")[0] for module in COMMANDS.values()}  # an image has only some of them


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        try:
            command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        except ModuleNotFoundError as absent:
            if absent.name in PACKAGES:
                return None
            raise
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="fleetpulse")
def fleetpulse() -> None:
    """Watches fleets of IoT devices: silence becomes an alert you can trust."""


def main(argv: list[str] | None = None) -> None:
    """Run the command line. Bad input ends with one line on standard error and exit code 2, never a traceback."""
    sys.exit(run(fleetpulse, argv))
