"""Whether the stack's ports are free."""

import socket
from collections.abc import Iterable

import psutil

from fleetpulse.errors import ConfigurationError
from fleetpulse.stack.layout import HOST, Layout


def check_ports(stack: Layout, names: Iterable[str]) -> None:
    """Refuse to start if one of these ports is taken.

    Raises:
        ConfigurationError: a port is taken; names it, the program that needs it and, if visible, the one that holds it.
    """
    for name in names:
        port = stack.ports[name]
        if not _is_free(port):
            raise ConfigurationError(
                f"port {port} is taken{_holder(port)}, and {name} needs it: stop what holds it, or move the whole "
                f"stack with --port.offset or FLEETPULSE_PORT_OFFSET (now {stack.port_offset})"
            )


def taken(stack: Layout) -> dict[int, str]:
    """The stack's ports that are not free, each with what holds it in words; empty words where that is not visible."""
    return {port: _holder(port) for port in stack.ports.values() if not _is_free(port)}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection does not block its port
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:  # another user's process shows no id
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return ""
