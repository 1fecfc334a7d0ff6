"""The brokers that a command uses: which they are, and whether one answers."""

import click

from fleetpulse.cli.connections import Address, named, source_of
from fleetpulse.cli.reachable import refusal
from fleetpulse.errors import ConfigurationError
from fleetpulse.printable import printable

_WAYS = (
    "give --kafka.bootstrap.servers host:port, set KAFKA_BROKERS, or start a stack in this folder with `make stack-up`"
)


def reach(brokers: str) -> str:
    """Return the brokers once one of them answers, and print on standard error which they are.

    Args:
        brokers: `host:port` of brokers, comma-separated; empty where nothing names any.

    Raises:
        ConfigurationError: nothing names a broker, or none accepts a connection within 2 s.
    """
    brokers = named(brokers, "broker", _WAYS)
    if (why := refusal(brokers.split(","))) is not None:
        of_stack = isinstance(brokers, Address) and brokers.stack
        what_to_do = "start the stack with `make stack-up`" if of_stack else "is it up, and is the address right?"
        raise ConfigurationError(f"no broker answers at {brokers}{source_of(brokers)}: {why}; {what_to_do}")
    announce(brokers)
    return brokers


def announce(brokers: str) -> None:
    """Print on standard error which brokers a command uses, and where that came from."""
    click.echo(printable(f"broker {brokers}{source_of(brokers)}"), err=True)
