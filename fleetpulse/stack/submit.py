"""Submits the jobs with `flink run -py`, to this stack's cluster or another one."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from fleetpulse.cli.connections import bootstrap_servers
from fleetpulse.errors import ConfigurationError, FleetpulseError
from fleetpulse.stack.install.artifacts import jars
from fleetpulse.stack.layout import Layout, project_root
from fleetpulse.stack.programs import flink, s3
from fleetpulse.stack.programs.postgres import DATABASE
from jobs.wiring.writers import Claim, claim_of

_NAMES = ("inactivity", "anomaly", "aggregate", "monitor", "rollup", "archive")
JOBS = {name: f"fleetpulse {name}" for name in _NAMES} | {"cold": "fleetpulse cold storage"}  # module to name in Flink
_PYTHON = (
    sys.executable,
    "-P",
    "-m",
)  # in the folder of whoever submits, where paths begin, and no module is looked for
_WITH_RULES = ("inactivity", "anomaly", "monitor")
_CAUSE = re.compile(r"^(?:Caused by: (?:[\w.$]+: )*|(?=[\w.]*Error\b))(?P<why>.+)$", re.MULTILINE)
_NOISE = re.compile(r"Python process exits|Py4JJavaError|NoSuchMethod|^[\w.$]+$")
_SUBMITTED = re.compile(r"JobID ([0-9a-f]{32})")


class Checked(NamedTuple):
    """Arguments that a job accepts: its identity, what it alone may write, and its folder of checkpoints, a URI."""

    identity: str
    claim: Claim
    checkpoints: str


def package() -> Path:
    """The code for Flink's workers.

    Raises:
        ConfigurationError: it was not made yet.
    """
    zipped = project_root() / "build" / "fleetpulse.zip"
    if not zipped.is_file():
        raise ConfigurationError(f"{zipped} does not exist: make it with `make package`")
    return zipped


def check(job: str, arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Checked | int:
    """Let the job's own parser check the arguments, before Java starts.

    Args:
        job: a module of `jobs/`.
        arguments: the job's arguments.
        environment: the job's variables.

    Returns:
        What the job is and writes, or an exit code after the job has printed one line.
    """
    command = [*_PYTHON, f"jobs.{job}", "--check", *arguments]
    done = subprocess.run(command, env=environment, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        return done.returncode
    identity, claim, checkpoints = done.stdout.splitlines()
    return Checked(identity, claim_of(claim), checkpoints)


def update_rules(job: str, arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Let a job's own command publish its rules if they have changed, without another job; return its exit code."""
    if job not in _WITH_RULES:
        return 0
    command = [*_PYTHON, f"jobs.{job}", "--rules.only", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


def submit(
    stack: Layout,
    job: str,
    arguments: Sequence[str],
    restore: str | None = None,
    flink_rest: str | None = None,
    flink_python: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> str:
    """Submit a job, detached.

    Args:
        stack: whose Flink client configuration, and without `flink_rest` whose cluster is used.
        job: a module of `jobs/`.
        arguments: the job's arguments.
        restore: path of a savepoint or checkpoint to start from.
        flink_rest: `host:port` of another cluster.
        flink_python: the Python of its workers; `python` on their PATH when None.
        environment: the job's variables.

    Returns:
        The job's id.

    Raises:
        ConfigurationError: the job refuses its arguments, or the code was not packed.
        FleetpulseError: Flink refuses; names the log with its whole answer.
    """
    root = project_root()
    command = [
        *(*flink.flink_command(), "run", "--detached"),
        *("--jobmanager", flink_rest or stack.address("flink-web")),
        *(("--fromSavepoint", restore) if restore else ()),
        *(("--pyExecutable", flink_python) if flink_python else ()),
        *(word for jar in _own_jars(job) for word in ("--classpath", jar.as_uri())),
        *("--python", str(root / "jobs" / f"{job}.py"), "--pyFiles", str(root / "build" / "fleetpulse.zip")),
        *arguments,
    ]
    if not stack.run.exists():
        flink.prepare(stack)
    if flink_rest:
        flink.prepare_client(stack)
    client = flink.environment(stack, "client" if flink_rest else "jobmanager")
    done = subprocess.run(command, env={**environment, **client}, capture_output=True, text=True, check=False)
    submitted = _SUBMITTED.search(done.stdout)
    if done.returncode or not submitted:
        raise _refusal(stack, job, done.stdout + done.stderr)
    for line in re.findall(r"^rules: .*", done.stdout + done.stderr, re.MULTILINE):
        click.echo(line, err=True)  # by the job itself; standard output has its id alone
    return submitted[1]


def surroundings(stack: Layout, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a job that works with this stack unless its arguments or a given variable say otherwise."""
    of_stack = {"FLEETPULSE_CHECKPOINT_DIR": stack.checkpoints.as_uri(), "FLEETPULSE_COLD_PATH": _cold_path(stack)}
    return of_stack | {name: value for name, value in given.items() if value} | {"FLEETPULSE_DIR": str(stack.root)}


def brokers_of(arguments: Sequence[str]) -> str:
    """The brokers of a job with these arguments; empty where nothing names any."""
    found: str = _brokers.main(list(arguments), standalone_mode=False)
    return found


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@bootstrap_servers
def _brokers(bootstrap_servers: str) -> str:
    return bootstrap_servers


def _cold_path(stack: Layout) -> str:
    return f"s3://{s3.BUCKET}/telemetry" if s3.runs_here(stack) else stack.cold.as_uri()


def defaults(stack: Layout, job: str) -> list[str]:
    """The arguments that point a job at this stack, whatever the environment says."""
    shared = ["--kafka.bootstrap.servers", stack.address("kafka"), "--checkpoint.dir", stack.checkpoints.as_uri()]
    if job == "cold":
        return [*shared, "--cold.path", _cold_path(stack)]
    if job != "archive":
        return shared
    url = f"jdbc:postgresql://{stack.address('postgres')}/{DATABASE}"
    return [*shared, "--database.url", url, "--database.password.file", str(stack.secrets / "alert_writer")]


def _own_jars(job: str) -> list[Path]:
    """Jars that a job brings along because Flink's processes do not have them."""
    return jars("cold") if job == "cold" else []


def _refusal(stack: Layout, job: str, output: str) -> FleetpulseError:
    stack.logs.mkdir(parents=True, exist_ok=True)
    log = stack.logs / f"submit-{job}.log"
    log.write_text(output)
    said = [line for line in output.splitlines() if line.startswith("error: ")]  # by the job itself
    if said:
        return ConfigurationError(said[-1].removeprefix("error: "))
    return FleetpulseError(f"the {job} job was not submitted: {cause(output)} (log: {log})")


def cause(output: str) -> str:
    """Why Flink refuses, from what its client prints: the innermost cause, or the last line where there is none."""
    causes = [found["why"] for found in _CAUSE.finditer(output) if not _NOISE.search(found["why"])]
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return (causes or lines or ["no answer"])[-1]
