"""What a program of the stack is to its supervisor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """A supervised process. `listens` names its main port in the layout, if any; `stop_signal` asks it to end.

    It runs in `folder`, by default the stack's.
    """

    name: str
    command: tuple[str, ...]
    listens: str | None
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    folder: Path | None = None
