"""Where an embedded stack lives: its folder and its ports."""

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fleetpulse.cli.folder import (
    BASE_PORTS,
    EVERY_PORT,
    HOST,
    MAX_OFFSET,
    OPTIONAL_PORTS,
    SETTINGS,
    has_processes,
    name_of,
    root_of,
    saved,
)
from fleetpulse.errors import ConfigurationError

__all__ = ["HOST"]  # for the stack's programs

OPTIONAL = tuple(OPTIONAL_PORTS)
OPTIONAL_PROGRAMS = ("registry", "postgres-exporter", "prometheus", "search", "indexer", "s3", "vector", "grafana")


@dataclass(frozen=True)
class Layout:
    """One stack: its folder (absolute), the offset of its ports, and its options."""

    root: Path
    port_offset: int = 0
    optional: frozenset[str] = frozenset()

    @cached_property
    def ports(self) -> dict[str, int]:
        """The port of each listener."""
        names = [*BASE_PORTS, *ports_of(self.optional)]
        return {name: EVERY_PORT[name] + self.port_offset for name in names}

    def address(self, name: str) -> str:
        """`host:port` of a listener, whether this stack has it or not."""
        return f"{HOST}:{EVERY_PORT[name] + self.port_offset}"

    @property
    def data(self) -> Path:
        """The folder of lasting data: Kafka's and PostgreSQL's files, checkpoints and savepoints."""
        return self.root / "data"

    @property
    def logs(self) -> Path:
        """One log file a program."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Configuration written at each start."""
        return self.root / "run"

    @property
    def secrets(self) -> Path:
        """One file a password, readable by the owner alone."""
        return self.root / "secrets"

    @property
    def checkpoints(self) -> Path:
        """Flink's checkpoints."""
        return self.data / "checkpoints"

    @property
    def cold(self) -> Path:
        """Raw records in cold storage."""
        return self.data / "cold"

    @property
    def savepoints(self) -> Path:
        """Flink's savepoints."""
        return self.root / "savepoints"

    @property
    def tmp(self) -> Path:
        """Flink's working files; needed only while it runs."""
        return self.root / "tmp"

    @property
    def name(self) -> str:
        """The short name of its folder."""
        return name_of(self.root)

    def save(self) -> None:
        """Save the port offset and the options for later commands."""
        self.root.mkdir(parents=True, exist_ok=True)
        settings = {"port_offset": self.port_offset, "with": sorted(self.optional)}
        self._settings.write_text(json.dumps(settings) + "\n")

    @property
    def _settings(self) -> Path:
        return self.root / SETTINGS


def layout(folder: str | None = None, port_offset: int | None = None, optional: Iterable[str] = ()) -> Layout:
    """The stack in `folder`, by default FLEETPULSE_DIR or `.fleetpulse` in the current folder.

    The port offset is the given one, else that of the stack that runs in the folder, else FLEETPULSE_PORT_OFFSET, else
    what the folder was started with before, else 0. Options are those given and those it was started with before.

    Raises:
        ConfigurationError: the offset is no number, or takes a port beyond 65535; or the path has blanks.
    """
    root = root_of(folder)
    if len(str(root).split()) > 1:
        raise ConfigurationError(f"--dir {root}: Flink's scripts cannot work below a path with blanks; choose another")
    last = saved_layout(root)
    if port_offset is None:
        given = os.environ.get("FLEETPULSE_PORT_OFFSET")
        # The variable may be another stack's: at its ports a command for this one would reach that.
        port_offset = _number(given) if given and not has_processes(root) else last.port_offset
    if not 0 <= port_offset <= MAX_OFFSET:
        raise ConfigurationError(f"--port.offset {port_offset}: expected 0 to {MAX_OFFSET}")
    return Layout(root, port_offset, last.optional.union(optional))


def saved_layout(root: Path) -> Layout:
    """The stack in this folder as it was started last."""
    return Layout(root, *(saved(root) or ()))


def ports_of(options: Iterable[str]) -> list[str]:
    """The names of ports that these options need."""
    return [name for option in options for name in OPTIONAL_PORTS[option]]


def _number(offset: str) -> int:
    try:
        return int(offset)
    except ValueError:
        raise ConfigurationError(f"FLEETPULSE_PORT_OFFSET {offset!r}: expected a whole number") from None


def project_root() -> Path:
    """The checkout this runs from."""
    return Path(__file__).resolve().parents[2]


def artifacts_dir() -> Path:
    """Where `make setup` puts the Java artifacts: in the virtual environment, shared by all stacks."""
    return Path(sys.prefix) / "share" / "fleetpulse" / "java"


def packages_dir() -> Path:
    """Where Debian's packages are unpacked, likewise."""
    return Path(sys.prefix) / "share" / "fleetpulse" / "debian"
