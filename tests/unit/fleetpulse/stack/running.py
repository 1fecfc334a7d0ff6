"""What counts as a running stack, without one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from fleetpulse.cli.folder import MARK
from fleetpulse.stack.layout import Layout


@contextmanager
def a_process_of(stack: Layout) -> Iterator[None]:
    """A process that bears the stack's mark until the end of the block."""
    process = subprocess.Popen(["sleep", "600"], env=os.environ | {MARK: stack.name})
    try:
        yield
        assert process.poll() is None, "it was ended"
    finally:
        process.kill()
        process.wait()
