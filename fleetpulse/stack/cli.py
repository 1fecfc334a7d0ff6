"""`fleetpulse stack`: a real Kafka, Flink and PostgreSQL on this machine."""

import os
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import click
from click.core import ParameterSource
from psycopg.conninfo import conninfo_to_dict
from rich.console import Console
from rich.table import Table

from fleetpulse.cli.folder import DEFAULT_DIR, MAX_OFFSET
from fleetpulse.cli.parameters import Servers, Whole, separated
from fleetpulse.cli.settings import FLAG, option
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.broker import reach
from fleetpulse.stack import lifecycle, rest
from fleetpulse.stack.install.wheels import postgres_bin
from fleetpulse.stack.keeper.program import keep as keep_jobs
from fleetpulse.stack.keeper.program import what_to_do
from fleetpulse.stack.keeper.submissions import (
    Submission,
    forget,
    holds_password,
    one_at_a_time,
    remember,
    remembered,
    variables_of,
    without_rules,
)
from fleetpulse.stack.layout import OPTIONAL, OPTIONAL_PROGRAMS, Layout, layout
from fleetpulse.stack.options import chosen
from fleetpulse.stack.processes import supervision
from fleetpulse.stack.programs import postgres
from fleetpulse.stack.programs.postgres import DATABASE
from fleetpulse.stack.resume import existing, newest_checkpoint
from fleetpulse.stack.submit import JOBS, brokers_of, check, package, submit, surroundings, update_rules
from jobs.wiring.writers import refuse_second

_READER = "monitor_user"
_NAMES = ("kafka", "postgres", "jobmanager", "taskmanager", "keeper", *OPTIONAL_PROGRAMS, "supervisor")


folder_option = option(
    "dir",
    click.Path(file_okay=False),
    "Folder of the stack's data, logs and passwords.",
    default=DEFAULT_DIR,
    parameter="folder",
)
port_offset_option = partial(
    option,
    "port.offset",
    Whole(0, MAX_OFFSET),
    "Added to every port, for a second stack beside the first; remembered.",
)
_flink_rest = option(
    "flink.rest",
    Servers(several=False),
    "host:port of another cluster than this stack's.",
    aliases=("--flink-rest",),
    variables=("FLINK_REST",),
)


def show_addresses(stack: Layout) -> None:
    """Print the addresses of the programs."""
    click.echo(f"{'Kafka':<12} {stack.address('kafka')}")
    click.echo(f"{'Flink web UI':<12} http://{stack.address('flink-web')}")
    click.echo(f"{'PostgreSQL':<12} {stack.address('postgres')}, database {DATABASE}, passwords in {stack.secrets}")
    for optional in chosen(stack):
        for name, address in optional.reached_at(stack).items():
            click.echo(f"{name:<12} {address}")


def require_running(stack: Layout) -> None:
    """Refuse to go on without this stack: another one may be at its ports.

    Raises:
        ConfigurationError: it does not run.
    """
    if not supervision.is_running(stack):
        raise ConfigurationError(
            f"no stack runs in {stack.root}: start it with `make stack-up`, or `fleetpulse stack up --dir {stack.root}`"
        )


def _names(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """The names, given in several options or separated by commas."""
    choice = click.Choice(OPTIONAL)
    return tuple(choice.convert(name.strip(), parameter, context) for names in given for name in separated(names))


@click.group("stack")
def command() -> None:
    """Run a real Kafka, Flink and PostgreSQL on this machine, on the loopback interface."""


@command.command("up")
@folder_option
@port_offset_option(aliases=("--port-offset",))
@option(
    "with",
    click.STRING,
    f"What else to run, separated by commas, of {', '.join(OPTIONAL)}; downloaded at its first use or found on "
    "PATH, and remembered.",
    parameter="optional",
    metavar="NAMES",
    callback=_names,
    multiple=True,
    environment=False,
)
def up_command(folder: str, port_offset: int | None, optional: tuple[str, ...]) -> None:
    """Start all, and wait until all are ready. Harmless when they run."""
    stack = layout(folder, port_offset, optional)
    started = time.monotonic()
    for name in lifecycle.up(stack):
        click.echo(f"{name:<12} ready after {time.monotonic() - started:4.1f} s")
    show_addresses(stack)


@command.command("down")
@folder_option
def down_command(folder: str) -> None:
    """Stop all processes. Data stays."""
    stack = layout(folder)
    click.echo("stopped" if lifecycle.down(stack) else f"nothing was running in {stack.root}")


@command.command("status")
@folder_option
def status_command(folder: str) -> int:
    """Show each program's state, process id and address. Exit code 1 unless all run."""
    stack = layout(folder)
    found = supervision.statuses(stack)
    if not found:
        click.echo(f"not running: {stack.root}")
        return 1
    listeners = {program.name: program.listens for program in lifecycle.programs(stack)}
    addresses = {name: stack.address(port) if port else "-" for name, port in listeners.items()}
    table = Table("program", "state", "pid", "address", box=None)
    for status in found:
        table.add_row(status.name, status.state, str(status.pid or "-"), addresses.get(status.name, "-"))
    Console().print(table)
    for submission in remembered(stack):
        if submission.given_up:
            click.echo(f"{submission.identity}: {submission.given_up}; {what_to_do(submission)}")
    return 0 if all(status.state == "RUNNING" for status in found) else 1


@command.command("logs")
@click.argument("name", type=click.Choice(_NAMES))
@option("lines", Whole(1), "How many of the last lines.", default=100, environment=False)
@option("follow", FLAG, "Go on as lines are written; Ctrl-C ends it.", short="-f")
@folder_option
def logs_command(name: str, lines: int, follow: bool, folder: str) -> None:
    """Show the last lines of a program's log."""
    file = supervision.log_file(layout(folder), name)
    if not file.exists():
        raise ConfigurationError(f"{file} does not exist: the stack has not been started in this folder")
    arguments = ["tail", "-n", str(lines), *(["-F"] if follow else []), str(file)]
    os.execvp("tail", arguments)  # noqa: S606 - becomes tail, as a shell's exec would


@command.command("submit", context_settings={"ignore_unknown_options": True})
@click.argument("job", type=click.Choice(sorted(JOBS)))
@click.argument("arguments", nargs=-1)
@option("restore", click.STRING, "Savepoint or checkpoint to start from.", environment=False)
@option(
    "resume",
    click.Path(file_okay=False, path_type=Path),
    "Where the job runs, only publish its rules if they have changed; else start from its newest checkpoint in this "
    "folder, if it has made one.",
    environment=False,
)
@option("keep", FLAG, "Go on, and submit the job again whenever the cluster has lost it.")
@_flink_rest
@option(
    "flink.python",
    click.STRING,
    "Python of that cluster's workers, if not `python`.",
    aliases=("--flink-python",),
    variables=("FLINK_PYTHON",),
)
@folder_option
def submit_command(
    job: str,
    arguments: tuple[str, ...],
    restore: str | None,
    resume: Path | None,
    keep: bool,
    flink_rest: str | None,
    flink_python: str | None,
    folder: str,
) -> int:
    """Submit a job, by default to this stack's cluster. ARGUMENTS after -- are the job's own.

    A job is refused beside a running one that writes to the same topics.
    """
    stack = layout(folder)
    package()
    if restore and not flink_rest:
        restore = existing(restore)
    if not flink_rest:
        require_running(stack)
    address = flink_rest or stack.address("flink-web")
    rest.running_jobs(address)
    given = [*([] if flink_rest else _named_folder(stack)), *arguments]
    reach(brokers_of(given))
    environment = {**os.environ} if flink_rest else surroundings(stack)
    checked = check(job, given, environment)
    if isinstance(checked, int):
        return checked
    with nullcontext() if flink_rest else one_at_a_time(stack):
        run = _running(address, job, checked.identity) if resume else None
        code = 0
        if run:
            click.echo(f"the {job} job runs already")
            code = update_rules(job, given, environment)
            restore = rest.restored_from(address, run) if keep else None
        else:
            refuse_second(partial(rest.get, address), checked.claim)
            restore = restore or (newest_checkpoint(resume, checked.identity) if resume else None)
            run = submit(stack, job, given, restore, flink_rest, flink_python, environment)
            click.echo(run)
        if keep or not flink_rest:
            _remember(
                stack,
                Submission(
                    identity=checked.identity,
                    job=job,
                    arguments=without_rules(given),
                    variables=variables_of(job, environment),
                    checkpoints=checked.checkpoints,
                    folder=str(Path.cwd()),
                    run=run,
                    restore=restore,
                    flink_rest=flink_rest,
                    flink_python=flink_python,
                ),
            )
    if keep:
        keep_jobs(stack)
    return code


def _remember(stack: Layout, submission: Submission) -> None:
    if holds_password(submission):
        click.echo(f"{submission.identity} has a password in a URL: it is not submitted again by itself", err=True)
    else:
        remember(stack, submission)


def _named_folder(stack: Layout) -> list[str]:
    """The folder as the job's argument, where it was an argument here: it then counts more than variables."""
    source = click.get_current_context().get_parameter_source("folder")
    return ["--dir", str(stack.root)] if source is ParameterSource.COMMANDLINE else []


def _running(address: str, job: str, identity: str) -> str | None:
    """Flink's id of the job, if it runs.

    Raises:
        ConfigurationError: a job of its name runs, and nothing says which.
    """
    running = {rest.identity(address, job.id): job.id for job in rest.running_jobs(address, JOBS[job])}
    if None in running and identity not in running:
        raise ConfigurationError(
            f"--resume: {running[None]} may be {identity}, and was submitted without an identity: stop it first, "
            "or leave --resume out"
        )
    return running.get(identity)


@command.command("savepoint")
@click.argument("job", type=click.Choice(sorted(JOBS)))
@option("stop", FLAG, "Stop the job with it.")
@option("job.id", click.STRING, "Flink's id of the job, where several of its name run.", environment=False)
@_flink_rest
@folder_option
def savepoint_command(job: str, stop: bool, job_id: str | None, flink_rest: str | None, folder: str) -> None:
    """Take a savepoint of a running job and print its path."""
    stack = layout(folder)
    if not flink_rest:
        require_running(stack)
    address = flink_rest or stack.address("flink-web")
    target = None if flink_rest else stack.savepoints.as_uri()
    run = rest.job_id(address, JOBS[job], job_id)
    path = rest.savepoint(address, run, target, stop)
    if stop:
        forget(stack, run)
    click.echo(path)


@command.command("psql", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)
@folder_option
def psql_command(arguments: tuple[str, ...], folder: str) -> None:
    """Open the stack's database with PostgreSQL's own client, as a user who may read. ARGUMENTS are psql's."""
    stack = layout(folder)
    require_running(stack)
    client, conninfo = str(postgres_bin() / "psql"), postgres.dsn(stack, _READER)
    # The password is in the environment, which others cannot read, and not on the command line.
    named = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGDATABASE": "dbname", "PGPASSWORD": "password"}
    given = conninfo_to_dict(conninfo)
    os.execve(client, [client, *arguments], os.environ | {name: str(given[of]) for name, of in named.items()})  # noqa: S606


@command.command("reset")
@folder_option
def reset_command(folder: str) -> None:
    """Stop all and delete the stack's data, logs and passwords."""
    lifecycle.reset(layout(folder))
    click.echo("stopped, and all data deleted")
