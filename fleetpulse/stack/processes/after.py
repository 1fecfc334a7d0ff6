"""Waits until a URL answers, then becomes a program: `python -m fleetpulse.stack.processes.after URL COMMAND...`."""

import os
import sys
import time

import requests

_EVERY_S = 0.5


def main(url: str, *command: str) -> None:
    """Wait without a limit, then become the program."""
    while not _answers(url):
        time.sleep(_EVERY_S)
    os.execvp(command[0], command)  # noqa: S606 - becomes the program, as a shell's exec would


def after(url: str, command: tuple[str, ...]) -> tuple[str, ...]:
    """A command that waits for `url`; its environment needs the project's root as PYTHONPATH."""
    return (sys.executable, "-m", "fleetpulse.stack.processes.after", url, *command)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


if __name__ == "__main__":
    main(*sys.argv[1:])
