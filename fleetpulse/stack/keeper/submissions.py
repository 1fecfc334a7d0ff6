"""What was submitted by the command, kept in the stack's folder until somebody stops it."""

import fcntl
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

from fleetpulse.stack.install.disk import write_private
from fleetpulse.stack.layout import Layout

_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]*@")


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A job as it was submitted.

    Attributes:
        identity: the job's, see `jobs.wiring.identity`.
        job: a module of `jobs/`.
        arguments: the job's arguments.
        variables: what else it was given, by the environment.
        checkpoints: the folder of its checkpoints, a URI.
        folder: the current folder, from which paths among the arguments go.
        run: Flink's id of the job.
        restore: what this run started from; None where from nothing.
        flink_rest: `host:port` of another cluster than the stack's.
        flink_python: the Python of its workers.
        given_up: why it is not submitted again; None while it is.
    """

    identity: str
    job: str
    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    checkpoints: str
    folder: str
    run: str
    restore: str | None = None
    flink_rest: str | None = None
    flink_python: str | None = None
    given_up: str | None = None

    def newest_checkpoint(self) -> str | None:
        """The URI of what a next run goes on from: this run's newest checkpoint, else what it started from itself.

        Raises:
            LookupError: its checkpoints are not on this machine.
        """
        url = urlsplit(self.checkpoints)
        if url.scheme != "file":
            raise LookupError(self.checkpoints)
        complete = Path(unquote(url.path), self.run).glob("chk-*/_metadata")
        newest = max(complete, key=lambda metadata: metadata.stat().st_mtime_ns, default=None)
        return newest.parent.as_uri() if newest else self.restore


def without_rules(arguments: Sequence[str]) -> tuple[str, ...]:
    """The arguments of a job that goes on: its rules are on their topic, and its file may have been edited since."""
    before = ["", *arguments]
    return tuple(
        word
        for previous, word in zip(before, arguments, strict=False)
        if "--rules" not in (previous, word.partition("=")[0])
    )


def variables_of(job: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of the environment that the settings of a resumed job read, without passwords."""
    command = import_module(f"jobs.{job}").command
    names = {name for parameter in command.params if parameter.name != "rules" for name in parameter.envvar or ()}
    return {name: environment[name] for name in sorted(names) if environment.get(name)}


def holds_password(submission: Submission) -> bool:
    """Whether an argument or variable is a URL with a password, which is written nowhere."""
    return any(_PASSWORD.search(text) for text in (*submission.arguments, *submission.variables.values()))


def remember(stack: Layout, submission: Submission) -> None:
    """Keep a submission, in place of an earlier one of its identity."""
    _folder(stack).mkdir(parents=True, exist_ok=True)
    file = _file(stack, submission.identity)
    unfinished = file.with_suffix(".new")
    write_private(unfinished, json.dumps(asdict(submission)) + "\n")
    unfinished.replace(file)


@contextmanager
def one_at_a_time(stack: Layout) -> Iterator[None]:
    """Let nobody else submit between the look at the jobs that run and the submission."""
    _folder(stack).mkdir(parents=True, exist_ok=True)
    with (_folder(stack) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def forget(stack: Layout, run: str) -> None:
    """Forget the submission that was this run, if there is one."""
    for submission in remembered(stack):
        if submission.run == run:
            _file(stack, submission.identity).unlink(missing_ok=True)


def remembered(stack: Layout) -> Iterator[Submission]:
    """All submissions that are kept, by identity."""
    for file in sorted(_folder(stack).glob("*.json")):
        try:
            fields = json.loads(file.read_text())
            submission = Submission(**{**fields, "arguments": tuple(fields["arguments"])})
        except (OSError, ValueError, TypeError, LookupError):  # deleted meanwhile, or of another release
            continue
        yield submission


def _folder(stack: Layout) -> Path:
    return stack.data / "submissions"


def _file(stack: Layout, identity: str) -> Path:
    return _folder(stack) / f"{identity}.json"
