"""The Compose file as tests read it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[4]
TEXT = (ROOT / "docker-compose.yaml").read_text()
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def variables() -> dict[str, str]:
    """What may be set from outside, with its default."""
    return dict(_VARIABLE.findall(TEXT))


def composition(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The whole file, variables put in."""
    given = environment or {}
    text = _VARIABLE.sub(lambda found: given.get(found[1]) or found[2], TEXT)
    loaded: dict[str, Any] = YAML(typ="safe").load(text)
    return loaded


SERVICES: dict[str, dict[str, Any]] = composition()["services"]
ONCE = {name for name, service in SERVICES.items() if service["restart"] == "no"}
SERVING = SERVICES.keys() - ONCE


def environment_file(name: str) -> dict[str, str]:
    """The settings of an env file."""
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def published() -> Iterator[tuple[str, str, int, int]]:
    """Service, address, port of the host and port of the container."""
    for name, service in SERVICES.items():
        for port in service.get("ports", ()):
            address, outside, inside = port.rsplit(":", 2)
            yield name, address, int(outside), int(inside)


def bind_mounts() -> Iterator[tuple[str, str, str]]:
    """Service, path in this project and mode of what is mounted from it."""
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            source, _target, *mode = volume.split(":")
            if source.startswith("."):
                yield name, source, mode[0] if mode else "rw"


def secrets_of(service: str) -> set[str]:
    """The passwords that a service finds in /run/secrets."""
    given = [word.split("/") for word in SERVICES["secrets"]["command"]]
    return {name for reader, name in given if reader == service}


def options(service: str) -> dict[str, str]:
    """The options of a service's command that have a value."""
    words = [word for word in SERVICES[service]["command"] if word.startswith("--") and "=" in word]
    return dict(word.split("=", 1) for word in words)
