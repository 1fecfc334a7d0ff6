"""Tables as people read them."""

import sys

from rich.console import Console

_PIPE_CHARS = 240


def console() -> Console:
    """Where tables go: as wide as the terminal, or wide enough for what reads a pipe."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_CHARS)
