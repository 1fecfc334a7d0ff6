"""Whether something accepts connections at an address: asked once, before a client waits for it in its own way."""

import socket
import time
from collections.abc import Sequence
from queue import Empty, Queue
from threading import Thread
from urllib.parse import urlsplit

_ANSWER_S = 2.0


def refusal(addresses: Sequence[str]) -> str | None:
    """Why none of these addresses, `host:port`, accepts a connection within 2 s; None where one does.

    Each is tried in a thread of its own: a name server that does not answer holds it for longer than that.
    """
    outcomes: Queue[str | None] = Queue()
    until_s = time.monotonic() + _ANSWER_S
    for address in addresses:
        Thread(target=lambda at: outcomes.put(_refused(at)), args=(address,), daemon=True).start()
    why = None
    for _ in addresses:
        try:
            why = outcomes.get(timeout=max(0, until_s - time.monotonic()))
        except Empty:
            return f"no answer within {_ANSWER_S:g} s"
        if why is None:
            return None
    return why


def address_of(url: str) -> str:
    """`host:port` of a URL."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _refused(address: str) -> str | None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _ANSWER_S).close()
    except (OSError, UnicodeError) as refused:  # the latter: a name that none can have
        return getattr(refused, "strerror", None) or str(refused)
    return None
