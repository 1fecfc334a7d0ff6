"""The stack of a folder: whether there is one, whether it runs, and the addresses of its programs."""

import contextlib
import hashlib
import json
import os
from collections import ChainMap
from dataclasses import dataclass
from pathlib import Path

from fleetpulse.errors import ConfigurationError

DEFAULT_DIR = ".fleetpulse"
HOST = "127.0.0.1"

# Listeners, and their ports without an offset.
BASE_PORTS = {
    "kafka": 9092,
    "kafka-controller": 9093,
    "postgres": 5432,
    "jobmanager": 6123,
    "flink-web": 8081,
    "jobmanager-metrics": 9249,
    "taskmanager-metrics": 2113,
    "supervisor": 9001,
}
# Options, and the listeners they add. See fleetpulse/stack/options.py.
OPTIONAL_PORTS: dict[str, dict[str, int]] = {
    "registry": {"registry": 8085},
    "prometheus": {"prometheus": 9090, "kafka-metrics": 7071, "postgres-metrics": 9187},
    "search": {"search": 9200, "search-transport": 9300},
    "s3": {"s3": 9000},
    "vector": {"vector": 8686, "vector-metrics": 9598},
    "grafana": {"grafana": 3000},
    "timescaledb": {},
}
EVERY_PORT = dict(ChainMap(BASE_PORTS, *OPTIONAL_PORTS.values()))
MAX_OFFSET = 65535 - max(EVERY_PORT.values())
SETTINGS = "stack.json"
MARK = "FLEETPULSE_STACK"  # in the environment of every process of a stack, and of those they start


@dataclass(frozen=True, slots=True)
class FolderStack:
    """A stack that was started in a folder.

    Attributes:
        root: the folder.
        port_offset: what is added to every port.
        optional: its options.
    """

    root: Path
    port_offset: int
    optional: frozenset[str]

    def address(self, name: str) -> str:
        """`host:port` of a listener."""
        return f"{HOST}:{EVERY_PORT[name] + self.port_offset}"

    @property
    def runs(self) -> bool:
        """Whether any process of it lives. Where none does, another stack may be at its ports."""
        return has_processes(self.root)

    def secret(self, name: str) -> Path:
        """The file of a password."""
        return self.root / "secrets" / name

    def __str__(self) -> str:
        """The folder as people name it: relative to the current one where it lies below."""
        here = Path.cwd()
        return str(self.root.relative_to(here) if self.root.is_relative_to(here) else self.root)


def stack_of(folder: str | None = None) -> FolderStack | None:
    """The stack that was started in `folder`, by default FLEETPULSE_DIR or `.fleetpulse`; None where there is none.

    FLEETPULSE_PORT_OFFSET does not count here: it may be another stack's, which then would be reached.

    Raises:
        ConfigurationError: the folder cannot be one, or its settings cannot be read.
    """
    root = root_of(folder)
    found = saved(root)
    return found and FolderStack(root, *found)


def root_of(folder: str | None = None) -> Path:
    """The absolute path of `folder`, by default FLEETPULSE_DIR or `.fleetpulse` in the current folder.

    Raises:
        ConfigurationError: the folder cannot be one, before anything is started or stopped in it.
    """
    root = Path(folder or os.environ.get("FLEETPULSE_DIR") or DEFAULT_DIR).absolute()
    try:
        # The folder itself need not be there yet: then what is nearest above it counts.
        nearest = next(path for path in (root, *root.parents) if path.exists() or path.is_symlink())
    except OSError as refused:
        raise ConfigurationError(f"--dir {root}: {refused.strerror}") from None
    if not nearest.is_dir():
        raise ConfigurationError(f"--dir {root}: {nearest} is no folder")
    return root


def saved(root: Path) -> tuple[int, frozenset[str]] | None:
    """The port offset and the options that the stack in this folder was started with last; None where there is none.

    Raises:
        ConfigurationError: they cannot be read.
    """
    settings = root / SETTINGS
    try:
        found = json.loads(settings.read_text())
        return int(found["port_offset"]), frozenset(found.get("with", ())) & OPTIONAL_PORTS.keys()
    except FileNotFoundError:
        return None
    except OSError as refused:
        raise ConfigurationError(f"{settings} cannot be read: {refused.strerror}") from None
    except (ValueError, KeyError, TypeError) as bad:
        raise ConfigurationError(f"{settings} cannot be read: delete it and start the stack again") from bad


def name_of(root: Path) -> str:
    """A short name of a stack's folder, the same however it is spelled; marks the stack's processes."""
    return hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]


def has_processes(root: Path) -> bool:
    """Whether any process of the stack in this folder lives, with its supervisor or without."""
    mark = f"{MARK}={name_of(root)}".encode()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # another user's, or it has ended
            if mark in environment.read_bytes().split(b"\0"):
                return True
    return False
