"""`fleetpulse database`: brings the database to the newest schema."""

import click

from fleetpulse.cli.connections import folder_of_stack, named
from fleetpulse.cli.database import DATABASE_WAYS, OWNER, Database, libpq, of_the_stack
from fleetpulse.cli.settings import option
from fleetpulse.database.migrate import migrate


@click.group("database")
def command() -> None:
    """Prepare the PostgreSQL or TimescaleDB that holds the alerts."""


@command.command("migrate")
@option(
    "database.url",
    Database(),
    "Database to migrate. The password may come from PGPASSWORD or a pgpass file instead.",
    parameter="url",
    aliases=("--dsn",),
    variables=("FLEETPULSE_DATABASE_DSN",),
    beside=folder_of_stack,
    **of_the_stack(OWNER),
)
def migrate_command(url: str | None) -> None:
    """Apply the migrations the database has not seen yet. Harmless when there are none."""
    applied = migrate(libpq(named(url, "database", DATABASE_WAYS)))
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("the database is up to date")
