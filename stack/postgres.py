"""PostgreSQL: one server on a TCP port of the loopback interface, with passwords."""

import shutil
import subprocess
from pathlib import Path

from psycopg.conninfo import make_conninfo

from fleetpulse.errors import FleetpulseError
from stack.layout import HOST, Layout
from stack.passwords import password
from stack.programs import Program
from stack.users import as_ordinary_user, give_to_ordinary_user
from stack.wheels import postgres_bin

DATABASE = "monitoring"
OWNER = "owner"


def program(stack: Layout) -> Program:
    """How to run the server. SIGINT is its fast shutdown: it ends sessions instead of waiting for them."""
    settings = {
        "listen_addresses": HOST,
        "port": stack.ports["postgres"],
        "unix_socket_directories": "",
        "max_connections": 100,
        "log_line_prefix": "%m [%p] ",
    }
    arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = (*as_ordinary_user("PostgreSQL"), str(postgres_bin() / "postgres"), "-D", str(_data(stack)), *arguments)
    return Program("postgres", command, "postgres", stop_signal="INT")


def prepare(stack: Layout) -> None:
    """Make the data folder at the first start. A first start that was cut short is made again.

    Raises:
        FleetpulseError: initdb fails.
    """
    if _data(stack).exists():
        return
    unfinished = _data(stack).with_suffix(".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    give_to_ordinary_user(unfinished)
    _initdb(unfinished, password(stack, OWNER))
    unfinished.rename(_data(stack))


def dsn(stack: Layout, user: str = OWNER, database: str = DATABASE) -> str:
    """Connection string of `user`, password included."""
    return make_conninfo(
        host=HOST, port=stack.ports["postgres"], user=user, dbname=database, password=password(stack, user)
    )


def _initdb(folder: Path, owner_password: str) -> None:
    command = [
        *as_ordinary_user("PostgreSQL"),
        str(postgres_bin() / "initdb"),
        *("-D", str(folder), "-U", OWNER, "-E", "UTF8", "--no-locale"),
        *("--auth=scram-sha-256", "--pwfile=/dev/stdin"),
    ]
    done = subprocess.run(command, input=owner_password + "\n", capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise FleetpulseError(f"PostgreSQL cannot make {folder}: {' '.join(last)}")


def _data(stack: Layout) -> Path:
    return stack.data / "postgres"
