"""Brings a stack up, takes it down, and deletes it."""

import errno
import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleetpulse.cli.folder import SETTINGS, has_processes
from fleetpulse.errors import ConfigurationError, FleetpulseError
from fleetpulse.stack import rest
from fleetpulse.stack.install.disk import check_free_space
from fleetpulse.stack.keeper import program as keeper
from fleetpulse.stack.layout import Layout, ports_of, saved_layout
from fleetpulse.stack.options import OPTIONS, chosen
from fleetpulse.stack.ports import check_ports
from fleetpulse.stack.processes import supervision
from fleetpulse.stack.programs import flink, kafka, postgres, s3
from fleetpulse.stack.programs.program import Program
from fleetpulse.stack.readiness import wait_until_ready

_LOCK, DEMO_LOCK = "lock", "demo.lock"
_NOT_YOURS = "is it another user's? Use a folder of your own with --dir"
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_WHAT_TO_DO = {errno.ENOSPC: "free some space and try again", **dict.fromkeys(_FORBIDDEN, _NOT_YOURS)}


def programs(stack: Layout) -> list[Program]:
    """All programs of the stack, in their order of start."""
    optional = [program for option in chosen(stack) for program in option.programs(stack)]
    return [kafka.program(stack), postgres.program(stack), *flink.programs(stack), keeper.program(stack), *optional]


def up(stack: Layout) -> Iterator[str]:
    """Start all programs that are not running and yield each program's name when it is ready. Harmless when all run.

    Raises:
        FleetpulseError: something is missing, taken, full, or does not answer in time.
        ConfigurationError: the stack runs at other ports.
    """
    with _alone(stack):
        _refuse_to_move(stack)
        running = supervision.is_running(stack)
        added = stack.optional - saved_layout(stack.root).optional if running else stack.optional
        for name in sorted(added):
            OPTIONS[name].check(stack)
        if running:
            _check_added(stack, added)
        for option in chosen(stack):
            option.install()
        if running:
            _prepare_added(stack, added)
        else:
            _prepare(stack)
        supervision.start(stack, programs(stack))
        yield from wait_until_ready(stack)


def down(stack: Layout) -> bool:
    """Stop all processes of the stack; data stays. Returns whether anything ran."""
    return supervision.stop(stack)


def reset(stack: Layout) -> None:
    """Stop the stack and delete its data, logs and passwords.

    Raises:
        ConfigurationError: the folder holds somebody's files.
    """
    _refuse_others_files(stack)
    down(stack)
    with file_errors_in_one_line(stack):
        for folder in _folders(stack):
            if folder.exists():
                shutil.rmtree(folder)


def _refuse_to_move(stack: Layout) -> None:
    """Refuse other ports than those of the stack that runs: its programs would restart, and its jobs end.

    Raises:
        ConfigurationError: says what runs, which jobs would end, and what to do.
    """
    runs = saved_layout(stack.root)
    if runs.port_offset == stack.port_offset or not has_processes(runs.root):
        return
    names = [status.name for status in supervision.statuses(runs) if status.state == "RUNNING"]
    raise ConfigurationError(
        f"--port.offset {stack.port_offset}: the stack in {stack.root} runs at offset {runs.port_offset} "
        f"({', '.join(names) or 'without its supervisor'}; {_jobs(runs)}); `fleetpulse stack down --dir {stack.root}` "
        "first, or give a second stack its own folder with --dir"
    )


def _refuse_others_files(stack: Layout) -> None:
    """Refuse a folder that is not a stack's alone, such as a home: a start deletes its `run` and `tmp`, a reset more.

    Raises:
        ConfigurationError: names what is in it.
    """
    if not stack.root.exists() or (stack.root / SETTINGS).exists() or (stack.root / _LOCK).exists():
        return
    own = {SETTINGS, _LOCK, DEMO_LOCK, *(folder.name for folder in _folders(stack))}
    others = sorted(file.name for file in stack.root.iterdir() if file.name not in own)
    if others:
        raise ConfigurationError(
            f"--dir {stack.root}: it holds {others[0]}, which is no file of a stack: expected an empty folder, a new "
            "one, or a stack's"
        )


def _folders(stack: Layout) -> tuple[Path, ...]:
    return stack.data, stack.savepoints, stack.logs, stack.run, stack.secrets, stack.tmp


def _jobs(stack: Layout) -> str:
    try:
        names = [job.name for job in rest.running_jobs(stack.address("flink-web"))]
    except FleetpulseError:
        return "Flink does not answer, so its jobs are not known"
    return f"jobs that would end: {', '.join(names)}" if names else "no job runs"


def _prepare(stack: Layout) -> None:
    supervision.stop_leftovers(stack)
    check_free_space(stack.root)
    check_ports(stack, [name for name in stack.ports if not (name == "s3" and s3.is_elsewhere())])
    for folder in (stack.run, stack.tmp):  # files of an earlier start are useless now
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (stack.data, stack.savepoints, stack.checkpoints, stack.logs, stack.run, stack.tmp):
        folder.mkdir(parents=True, exist_ok=True)
    stack.save()
    kafka.prepare(stack)
    postgres.prepare(stack)
    flink.prepare(stack)
    for option in chosen(stack):
        option.prepare(stack)


def _check_added(stack: Layout, added: frozenset[str]) -> None:
    """Refuse options that a running program would need to be restarted for.

    Raises:
        ConfigurationError: names both, and what to do.
    """
    for name in sorted(added):
        option = OPTIONS[name]
        others = sorted(option.told_to & stack.optional - added)
        if without := option.part_of or (others and others[0]):
            raise ConfigurationError(
                f"--with {name}: {without} runs without it; stop it first with `fleetpulse stack down`"
            )


def _prepare_added(stack: Layout, added: frozenset[str]) -> None:
    """Prepare options that the running stack does not have."""
    check_ports(stack, ports_of(added))
    for name in added:
        OPTIONS[name].prepare(stack)
    stack.save()


@contextmanager
def _alone(stack: Layout) -> Iterator[None]:
    """Let only one `up` of a stack run at a time."""
    with file_errors_in_one_line(stack):
        stack.root.mkdir(parents=True, exist_ok=True)
        _refuse_others_files(stack)
        with (stack.root / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def file_errors_in_one_line(stack: Layout) -> Iterator[None]:
    """Say what to do about a file of the stack that cannot be read or written.

    Raises:
        ConfigurationError: instead of an OSError, where the folder is one that nobody may write to.
        FleetpulseError: instead of another one.
    """
    try:
        yield
    except OSError as refused:
        what_to_do = _WHAT_TO_DO.get(refused.errno or 0, f"see {stack.logs}")
        what = f"{refused.filename or stack.root}: {refused.strerror or refused}"
        failed = ConfigurationError if refused.errno in _FORBIDDEN else FleetpulseError
        raise failed(f"{what}: {what_to_do}") from refused
