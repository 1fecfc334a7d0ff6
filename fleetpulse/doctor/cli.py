"""`fleetpulse doctor`: one line for each thing that Fleetpulse needs, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass

import click

from fleetpulse.cli.connections import Address, brokers, may_answer, schema_registry_if_any
from fleetpulse.cli.database import OWNER, Database, libpq, of_the_stack
from fleetpulse.cli.parameters import Servers, Topics
from fleetpulse.cli.settings import setting, takes
from fleetpulse.cli.tables import echo
from fleetpulse.doctor import asking
from fleetpulse.doctor.findings import Finding, State
from fleetpulse.stack.layout import Layout, layout
from fleetpulse.topics import EVENTS, TELEMETRY

_START = "start the stack with `make stack-up`"
_ASK = "is it up, and is the address right?"


@dataclass(frozen=True)
class Places:
    """Where to look: at the stack of the folder, or where these say."""

    bootstrap_servers: str = brokers()
    flink_rest: str | None = setting(
        "flink.rest", Servers(several=False), "host:port of another Flink than the stack's.", variables=("FLINK_REST",)
    )
    database_url: str | None = setting("database.url", Database(), "The database.", **of_the_stack(OWNER))
    schema_registry_url: str | None = schema_registry_if_any()
    topic: tuple[str, ...] = setting(
        "topic",
        Topics(),
        "Topics of telemetry, separated by ';'.",
        default=(EVENTS.name, TELEMETRY.name),
        variables=("TELEMETRY_TOPIC",),
    )

    @property
    def stack(self) -> Layout | None:
        """The stack that is looked at; None where other brokers are named."""
        if not self.bootstrap_servers:
            return layout()
        found = self.bootstrap_servers.stack if isinstance(self.bootstrap_servers, Address) else None
        return Layout(found.root, found.port_offset, found.optional) if found else None


@click.command("doctor")
@takes(Places)
def command(places: Places) -> int:
    """Check all that Fleetpulse needs: this machine, the broker and its topics, jobs, rules and the database.

    A line each: ok, warning or fault, with what to do. Exit code 1 where there is a fault. It changes nothing.
    """
    stack = places.stack
    servers = _asked(places.bootstrap_servers) or ""
    flink = places.flink_rest or (stack.address("flink-web") if stack and servers else None)
    database, its = _asked(places.database_url), _START if stack else _ASK
    if isinstance(database, Address) and database.stack and stack is None:
        database = None  # that of the folder has nothing to do with the brokers that are named
    checks: dict[str, asking.Check] = {
        "broker": lambda: asking.kafka(servers, places.topic, its),
        "registry": lambda: asking.registry(_asked(places.schema_registry_url)),
        "jobs": lambda: asking.flink(flink, _ASK if places.flink_rest else _START),
        "database": lambda: asking.database(database and libpq(database), its),
    }
    return _shown([*asking.machine(stack), *asking.at_once(checks)])


def _asked(address: str | None) -> str | None:
    return address if address and may_answer(address) else None


def _shown(found: Iterable[Finding]) -> int:
    """Print findings. Returns the exit code."""
    faults = 0
    for name, state, line in found:
        echo(f"{state:<8} {name:<10} {line}")
        faults += state is State.FAULT
    return 1 if faults else 0
