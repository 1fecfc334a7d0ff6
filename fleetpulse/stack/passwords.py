"""The stack's passwords: made at the first start, kept in files that only their owner can read."""

import os
import secrets

from fleetpulse.stack.layout import Layout


def password(stack: Layout, user: str) -> str:
    """The password of `user`, created now if there is none yet."""
    stack.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = stack.secrets / user
    if not file.exists():
        unfinished = file.with_suffix(".part")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_urlsafe(24) + "\n")
        unfinished.replace(file)
    return file.read_text().strip()
