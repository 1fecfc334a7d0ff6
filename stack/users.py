"""Programs that refuse to run as root run as nobody, who keeps root's way through closed folders."""

import os
import shutil
from pathlib import Path

from fleetpulse.errors import FleetpulseError

_NOBODY = 65534


def as_ordinary_user(program: str) -> tuple[str, ...]:
    """What stands before the command of a program that does not run as root; nothing where this is not root.

    Raises:
        FleetpulseError: there is no way to become another user.
    """
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise FleetpulseError(
            f"{program} does not run as root and setpriv is missing: install util-linux, or use another user"
        )
    through = "+dac_override,+dac_read_search"
    return (
        *(setpriv, f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"),
        *(f"--inh-caps={through}", f"--ambient-caps={through}"),
    )


def give_to_ordinary_user(folder: Path) -> None:
    """Make a folder the property of whom such a program runs as."""
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
