"""Runs the stack's programs under supervisord, which restarts programs that die."""

import contextlib
import http.client
import os
import shlex
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from fleetpulse.cli.folder import MARK, has_processes
from fleetpulse.errors import FleetpulseError
from fleetpulse.stack.install.disk import write_private
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.passwords import password
from fleetpulse.stack.processes.marks import marked
from fleetpulse.stack.programs.program import Program

_USER = "fleetpulse"
_STOP_S = 60
_UNREACHABLE = (OSError, http.client.HTTPException, xmlrpc.client.Error)
_KEPT_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ", "USER")


@dataclass(frozen=True)
class Status:
    """The state of a program; `pid` is 0 if it does not run."""

    name: str
    state: str
    pid: int
    description: str


class _Supervisor:
    """The calls of the supervisor's interface that are used here."""

    def __init__(self, stack: Layout) -> None:
        url = f"http://{_USER}:{password(stack, 'supervisor')}@{stack.address('supervisor')}/RPC2"
        self._calls = xmlrpc.client.ServerProxy(url).supervisor

    def identification(self) -> str:
        return str(self._calls.getIdentification())

    def statuses(self) -> list[Status]:
        found = self._calls.getAllProcessInfo()
        assert isinstance(found, list)
        return [Status(p["name"], p["statename"], p["pid"], p["description"] or p["spawnerr"]) for p in found]

    def start(self, name: str) -> None:
        self._calls.startProcess(name, False)

    def add(self, name: str) -> None:
        self._calls.reloadConfig()
        self._calls.addProcessGroup(name)

    def shutdown(self) -> None:
        self._calls.shutdown()


def is_running(stack: Layout) -> bool:
    """Whether this stack's supervisor answers."""
    if not _may_answer(stack):
        return False
    try:
        return _Supervisor(stack).identification() == stack.name
    except _UNREACHABLE:
        return False


def statuses(stack: Layout) -> list[Status]:
    """All programs by name; empty when the supervisor does not run."""
    if not _may_answer(stack):
        return []
    try:
        return _Supervisor(stack).statuses()
    except _UNREACHABLE:
        return []


def _may_answer(stack: Layout) -> bool:
    """Whether to ask the supervisor's port: without a process of this stack, another one may be there."""
    return _configuration_file(stack).exists() and has_processes(stack.root)


def start(stack: Layout, programs: list[Program]) -> None:
    """Start the supervisor and, through it, all programs; if it runs already, those that do not run or are new.

    Raises:
        FleetpulseError: the supervisor refuses to start.
    """
    if is_running(stack):
        found = statuses(stack)
        for name in {program.name for program in programs} - {status.name for status in found}:
            write_private(_configuration_file(stack), configuration(stack, programs))
            _Supervisor(stack).add(name)
        for status in found:
            if status.state not in ("RUNNING", "STARTING", "BACKOFF"):
                with contextlib.suppress(xmlrpc.client.Fault):  # another `up` was faster
                    _Supervisor(stack).start(status.name)
        return
    write_private(_configuration_file(stack), configuration(stack, programs))
    environment = {key: os.environ[key] for key in _KEPT_ENVIRONMENT if key in os.environ} | {MARK: stack.name}
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(_configuration_file(stack))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise FleetpulseError(f"the supervisor does not start: {' '.join(last)}")


def stop(stack: Layout) -> bool:
    """Stop everything, gently first. Returns whether anything ran."""
    ran = is_running(stack)
    if ran:
        supervisor = [p for p in processes(stack) if _is_supervisor(p)]
        with contextlib.suppress(*_UNREACHABLE):  # a second `down` at the same time
            _Supervisor(stack).shutdown()
        psutil.wait_procs(supervisor, timeout=_STOP_S)
    return stop_leftovers(stack) or ran


def stop_leftovers(stack: Layout) -> bool:
    """End leftovers of a killed process: Python workers of a TaskManager, programs without their supervisor.

    Returns:
        Whether there was any.
    """
    left = list(processes(stack))
    # The supervisor first, or it restarts them.
    for process in sorted(left, key=_is_supervisor, reverse=True):
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(left, timeout=20)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
    return bool(left)


def processes(stack: Layout) -> Iterator[psutil.Process]:
    """The living processes of a stack, however they were started or orphaned."""
    return marked(MARK, stack.name)


def _is_supervisor(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "supervisor.supervisord" in process.cmdline()
    return False


def configuration(stack: Layout, programs: list[Program]) -> str:
    """The text of supervisord's configuration file."""
    head = [
        "[supervisord]",
        f"identifier={stack.name}",
        f"directory={_escaped(stack.root)}",
        f"logfile={_escaped(stack.logs / 'supervisor.log')}",
        f"pidfile={_escaped(stack.run / 'supervisor.pid')}",
        *(["user=root"] if os.geteuid() == 0 else []),
        "[inet_http_server]",
        f"port={stack.address('supervisor')}",
        f"username={_USER}",
        f"password={_escaped(password(stack, 'supervisor'))}",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    sections = [_section(stack, program, index) for index, program in enumerate(programs, start=1)]
    return "\n".join([*head, *(line for section in sections for line in section), ""])


def _section(stack: Layout, program: Program, index: int) -> list[str]:
    environment = ",".join(f'{key}="{_escaped(value)}"' for key, value in program.environment.items())
    return [
        f"[program:{program.name}]",
        f"command={_escaped(shlex.join(program.command))}",
        f"environment={environment}",
        f"priority={index}",
        f"stopsignal={program.stop_signal}",
        f"directory={_escaped(program.folder or stack.root)}",
        "autorestart=true",
        "startsecs=2",
        "startretries=6",
        "stopwaitsecs=20",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={_escaped(log_file(stack, program.name))}",
        "stdout_logfile_maxbytes=20MB",
        "stdout_logfile_backups=3",
    ]


def log_file(stack: Layout, name: str) -> Path:
    """Where a program's output goes."""
    return stack.logs / f"{name}.log"


def _configuration_file(stack: Layout) -> Path:
    return stack.run / "supervisord.conf"


def _escaped(value: object) -> str:
    return str(value).replace("%", "%%")
