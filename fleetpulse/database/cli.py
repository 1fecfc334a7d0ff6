"""`fleetpulse database`: brings the database to the newest schema."""

import click

from fleetpulse.database.migrate import migrate


@click.group("database")
def command() -> None:
    """Prepare the PostgreSQL or TimescaleDB that holds the alerts."""


@command.command("migrate")
@click.option(
    "--dsn",
    required=True,
    envvar="FLEETPULSE_DATABASE_DSN",
    show_envvar=True,
    help="PostgreSQL connection URI. The password may come from PGPASSWORD or a pgpass file instead.",
)
def migrate_command(dsn: str) -> None:
    """Apply the migrations the database has not seen yet. Harmless when there are none."""
    applied = migrate(dsn)
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("the database is up to date")
