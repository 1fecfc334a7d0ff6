"""No command of a folder with one stack reaches another.

Who listens on the usual ports, or on those of the folder's own stack while that does not run, hears nothing.
"""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.cli.folder import EVERY_PORT, HOST
from fleetpulse.cli.main import fleetpulse
from fleetpulse.stack.layout import OPTIONAL

OFFSET = 4_000  # of the folder's stack, of which nothing runs
VARIABLES = (
    *("KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS", "FLEETPULSE_KAFKA_BOOTSTRAP_SERVERS"),
    *("SCHEMA_REGISTRY_URL", "FLINK_REST", "FLEETPULSE_DATABASE_URL"),
)
ALERT = "6355e389-c58d-5676-9304-084bcee90f1b"
FILES = {"RULES": "rules.yaml", "RECORDS": "records.jsonl"}
COMMANDS = [
    ["generate", "--duration.seconds", "1"],
    ["generate", "--dialect", "avro", "--duration.seconds", "1"],
    ["sensors", "--duration.seconds", "1"],
    ["load", "--duration.seconds", "1"],
    *(["dlq", *words] for words in (["list"], ["stats"], ["show", "0:1"], ["replay"], ["simulate"])),
    *(["rules", *words] for words in (["list"], ["show", "1"], ["diff", "RULES"], ["apply", "RULES"])),
    *(["kafka", name] for name in ("make-topics", "test-topics", "test-external", "verify-cluster", "groups")),
    ["kafka", "watch", "events"],
    ["kafka", "send", "events", "RECORDS"],
    ["rules", "check", "RULES", "--topic", "events"],
    ["doctor"],
    ["backtest"],
    ["explain", ALERT],
    ["index"],
    ["database", "migrate"],
    ["stack", "status"],
    ["stack", "savepoint", "monitor"],
    ["stack", "submit", "monitor"],
    ["stack", "psql", "-c", "SELECT 1"],
]


@pytest.fixture
def others() -> Iterator[list[socket.socket]]:
    """Listeners on the ports of stacks with and without the offset; a port that somebody holds already is left out."""
    with ExitStack() as open_ones:
        listeners = []
        for port in (port + offset for offset in (0, OFFSET) for port in EVERY_PORT.values()):
            try:
                listeners.append(open_ones.enter_context(socket.create_server((HOST, port))))
            except OSError:
                continue
            listeners[-1].setblocking(False)
        yield listeners


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a stack that has every option; nothing of it runs."""
    stack = tmp_path / "stack"
    (stack / "secrets").mkdir(parents=True)
    for role in ("owner", "monitor_user"):
        (stack / "secrets" / role).write_text("secret\n")
    (stack / "stack.json").write_text(json.dumps({"port_offset": OFFSET, "with": list(OPTIONAL)}))
    (tmp_path / "rules.yaml").write_text("rules: []\n")
    (tmp_path / "records.jsonl").write_text("{}\n")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("fleetpulse.stack.cli.package", lambda: tmp_path / "fleetpulse.zip")  # of a fresh clone too
    monkeypatch.setenv("FLEETPULSE_PORT_OFFSET", "0")  # somebody else's
    monkeypatch.setattr(
        os, "execve", lambda _path, arguments, surroundings: subprocess.run(arguments, env=surroundings)
    )
    return stack


def heard(listeners: list[socket.socket]) -> list[int]:
    """The ports that somebody has connected to."""
    ports = []
    for listener in listeners:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            continue
        ports.append(listener.getsockname()[1])
    return ports


@pytest.mark.parametrize("by", ["variable", "argument"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_of_one_stack_reaches_another(
    words: list[str], by: str, others: list[socket.socket], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    arguments = [FILES.get(word, word) for word in words]
    monkeypatch.chdir(folder.parent)
    if by == "variable":
        monkeypatch.setenv("FLEETPULSE_DIR", str(folder))
    else:
        monkeypatch.setenv("FLEETPULSE_DIR", str(folder.parent / "none"))
        arguments += ["--dir", str(folder)]
    assert run(fleetpulse, arguments) > 0
    assert heard(others) == []
    output = "".join(capsys.readouterr())
    assert str(folder) in output or HOST in output


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_without_a_stack_no_command_reaches_one_that_happens_to_run(
    words: list[str], others: list[socket.socket], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLEETPULSE_DIR", raising=False)
    arguments = [FILES.get(word, word) for word in words]
    assert run(fleetpulse, arguments) > 0
    assert heard(others) == []
