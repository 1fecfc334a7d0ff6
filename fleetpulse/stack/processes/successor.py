"""Ends processes that a killed predecessor of a program left behind, then becomes the program.

`python -m fleetpulse.stack.processes.successor COMMAND…`, with SUCCESSOR_OF in the environment,
which the program's own processes inherit.
"""

import contextlib
import os
import sys

import psutil

from fleetpulse.stack.processes.marks import marked

MARK = "SUCCESSOR_OF"
_WAIT_S = 5


def command(program: tuple[str, ...]) -> tuple[str, ...]:
    """The command that starts `program` this way."""
    return (sys.executable, "-m", "fleetpulse.stack.processes.successor", *program)


def end_leftovers(of: str) -> None:
    """Kill all other processes with the mark `of`."""
    left = [process for process in marked(MARK, of) if process.pid != os.getpid()]
    for process in left:
        with contextlib.suppress(psutil.Error):  # it ended by itself
            process.kill()
    psutil.wait_procs(left, timeout=_WAIT_S)


if __name__ == "__main__":
    end_leftovers(os.environ[MARK])
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - becomes the program, as a shell's exec would
