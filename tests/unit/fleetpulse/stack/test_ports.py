"""A port that is taken."""

import os
import socket
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.errors import FleetpulseError
from fleetpulse.stack.demo.command import command as demo
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.ports import check_ports
from tests.e2e.support.embedded import free_offset


def test_a_taken_port_is_named_with_who_needs_and_who_holds_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stack = Layout(tmp_path, port - Layout(tmp_path).ports["kafka"])
        with pytest.raises(FleetpulseError) as refused:
            check_ports(stack, ["kafka"])
    assert f"port {port} is taken" in str(refused.value)
    assert f"(pid {os.getpid()})" in str(refused.value)
    assert "kafka needs it" in str(refused.value)
    assert "--port.offset or FLEETPULSE_PORT_OFFSET" in str(refused.value)


def test_the_demo_names_a_taken_port_and_an_option_that_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offset = free_offset()
    with socket.create_server(("127.0.0.1", Layout(tmp_path, offset).ports["kafka"])):
        assert run(fleetpulse, ["demo", "--dir", str(tmp_path), "--port.offset", str(offset)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "kafka needs it" in error
    assert "--port.offset" in {option for parameter in demo.params for option in parameter.opts}


def test_a_holder_of_another_user_is_not_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        seen = [Mock(status=psutil.CONN_LISTEN, laddr=Mock(port=port), pid=None)]
        monkeypatch.setattr(psutil, "net_connections", lambda _kind: seen)
        with pytest.raises(FleetpulseError, match=f"port {port} is taken, and kafka needs it"):
            check_ports(Layout(tmp_path, port - Layout(tmp_path).ports["kafka"]), ["kafka"])
