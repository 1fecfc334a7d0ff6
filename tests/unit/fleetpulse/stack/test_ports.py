"""A port that is taken."""

import os
import socket
from pathlib import Path

import pytest

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.ports import check_ports


def test_a_taken_port_is_named_with_who_needs_and_who_holds_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stack = Layout(tmp_path, port - Layout(tmp_path).ports["kafka"])
        with pytest.raises(FleetpulseError) as refused:
            check_ports(stack, ["kafka"])
    assert f"port {port} is taken" in str(refused.value)
    assert f"(pid {os.getpid()})" in str(refused.value)
    assert "kafka needs it" in str(refused.value)
    assert "--port.offset" in str(refused.value)
