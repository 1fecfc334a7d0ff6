"""Finds processes by a variable in their environment, which their children inherit."""

import contextlib
from collections.abc import Iterator

import psutil


def marked(variable: str, value: str) -> Iterator[psutil.Process]:
    """The living processes whose `variable` is `value`, however they were started or orphaned."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(variable) == value:
                yield process
