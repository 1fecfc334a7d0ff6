"""`fleetpulse database`: brings the database to the newest schema."""

import click

from fleetpulse.cli.database import Database, libpq
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
    required=True,
    parameter="url",
    aliases=("--dsn",),
    variables=("FLEETPULSE_DATABASE_DSN",),
)
def migrate_command(url: str) -> None:
    """Apply the migrations the database has not seen yet. Harmless when there are none."""
    applied = migrate(libpq(url))
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("the database is up to date")
