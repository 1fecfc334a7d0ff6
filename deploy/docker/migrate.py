"""Brings the database of docker-compose.yaml to the newest schema, its roles to the passwords of the secret files."""

import sys
from pathlib import Path

import click
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from fleetpulse.cli.commandline import run
from fleetpulse.database.migrate import migrate
from fleetpulse.errors import FleetpulseError

_ROLES = ("alert_writer", "monitor_user")


@click.command()
@click.option("--host", required=True)
@click.option("--secrets", type=click.Path(exists=True, file_okay=False, path_type=Path), default="/run/secrets")
def command(host: str, secrets: Path) -> None:
    """Migrate, and set passwords. Harmless when there is nothing to do."""
    passwords = {role: (secrets / role).read_text().strip() for role in ("owner", *_ROLES)}
    dsn = make_conninfo(host=host, user="owner", dbname="monitoring", password=passwords["owner"])
    for name in migrate(dsn):
        click.echo(f"applied {name}")
    try:
        with psycopg.connect(dsn, autocommit=True) as owner:
            for role in _ROLES:
                alter = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), passwords[role])
                owner.execute(alter)
    except psycopg.Error as failed:
        raise FleetpulseError(f"cannot set passwords: {failed}") from failed
    click.echo("the database is up to date")


if __name__ == "__main__":
    sys.exit(run(command))
