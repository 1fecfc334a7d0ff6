"""PostgreSQL: one server on a TCP port of the loopback interface, with passwords."""

import os
import shutil
import subprocess
from pathlib import Path

from psycopg.conninfo import make_conninfo

from fleetpulse.cli.database import DATABASE, OWNER
from fleetpulse.errors import FleetpulseError
from fleetpulse.stack.install.wheels import postgres_bin
from fleetpulse.stack.layout import HOST, Layout
from fleetpulse.stack.passwords import password
from fleetpulse.stack.programs.program import Program

__all__ = ["DATABASE", "OWNER"]  # for the stack's other programs

MONITOR_USER = "monitor_user"  # the role of people
_NOBODY = 65534
_TIMESCALEDB = "timescaledb"


def program(stack: Layout) -> Program:
    """How to run the server. SIGINT is its fast shutdown: it ends sessions instead of waiting for them."""
    settings: dict[str, object] = {
        "listen_addresses": HOST,
        "port": stack.ports["postgres"],
        "unix_socket_directories": "",
        "max_connections": 100,
        "log_line_prefix": "%m [%p] ",
    }
    if _TIMESCALEDB in stack.optional:
        settings |= {
            "shared_preload_libraries": _TIMESCALEDB,
            "timescaledb.telemetry_level": "off",
            "max_worker_processes": 24,
        }
    arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = (*_as_ordinary_user(), str(_bin(stack) / "postgres"), "-D", str(_data(stack)), *arguments)
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
    if os.geteuid() == 0:
        os.chown(unfinished, _NOBODY, _NOBODY)
    _initdb(_bin(stack), unfinished, password(stack, OWNER))
    unfinished.rename(_data(stack))


def check_timescaledb() -> None:
    """Refuse a stack with TimescaleDB if TimescaleDB is not installed.

    Raises:
        FleetpulseError: PostgreSQL is not on PATH, or has not the extension.
    """
    if not (Path(_asked("--sharedir")) / "extension" / f"{_TIMESCALEDB}.control").exists():
        raise FleetpulseError(
            f"--with timescaledb: the PostgreSQL in {_asked('--bindir')} has no TimescaleDB; install it there, or do "
            "without it: the tables are the same"
        )


def _asked(what: str) -> str:
    if shutil.which("pg_config") is None:
        raise FleetpulseError("--with timescaledb: there is no `pg_config` on PATH; install PostgreSQL and TimescaleDB")
    return subprocess.run(["pg_config", what], capture_output=True, text=True, check=True).stdout.strip()


def dsn(stack: Layout, user: str = OWNER, database: str = DATABASE) -> str:
    """Connection string of `user`, password included."""
    return make_conninfo(
        host=HOST, port=stack.ports["postgres"], user=user, dbname=database, password=password(stack, user)
    )


def _initdb(programs: Path, folder: Path, owner_password: str) -> None:
    command = [
        *_as_ordinary_user(),
        str(programs / "initdb"),
        *("-D", str(folder), "-U", OWNER, "-E", "UTF8", "--no-locale"),
        *("--auth=scram-sha-256", "--pwfile=/dev/stdin"),
    ]
    done = subprocess.run(command, input=owner_password + "\n", capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise FleetpulseError(f"PostgreSQL cannot make {folder}: {' '.join(last)}")


def _as_ordinary_user() -> tuple[str, ...]:
    """PostgreSQL refuses to run as root. It then runs as nobody, who keeps root's way through closed folders."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise FleetpulseError(
            "PostgreSQL does not run as root and setpriv is missing: install util-linux, or use another user"
        )
    through = "+dac_override,+dac_read_search"
    return (
        *(setpriv, f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"),
        *(f"--inh-caps={through}", f"--ambient-caps={through}"),
        # PostgreSQL looks for its own programs by access(2), for which the kernel drops the capabilities without this.
        "--securebits=+no_setuid_fixup",
    )


def _data(stack: Layout) -> Path:
    # A server of its own version, which cannot read the other's files.
    return stack.data / (_TIMESCALEDB if _TIMESCALEDB in stack.optional else "postgres")


def _bin(stack: Layout) -> Path:
    return Path(_asked("--bindir")) if _TIMESCALEDB in stack.optional else postgres_bin()
