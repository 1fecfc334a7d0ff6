"""The supervised program of a stack: `python -m fleetpulse.stack.keeper.program FOLDER`."""

import os
import sys
import time
from collections import Counter
from contextlib import chdir
from dataclasses import replace

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack import rest
from fleetpulse.stack.keeper.decisions import Step, step
from fleetpulse.stack.keeper.submissions import Submission, forget, remember, remembered
from fleetpulse.stack.layout import Layout, layout, project_root
from fleetpulse.stack.programs.program import Program
from fleetpulse.stack.submit import cause, submit, surroundings

_EVERY_S = 5.0
_ATTEMPTS = 20  # to submit a job again: some minutes, in which Kafka may start


def program(stack: Layout) -> Program:
    """How to run it."""
    command = (sys.executable, "-m", "fleetpulse.stack.keeper.program", str(stack.root))
    return Program("keeper", command, None, {"PYTHONPATH": str(project_root())})


def keep(stack: Layout) -> None:
    """Watch the jobs that were submitted, for ever."""
    failed: Counter[str] = Counter()
    while True:
        for submission in remembered(stack):
            attend(stack, submission, failed)
        time.sleep(_EVERY_S)


def attend(stack: Layout, submission: Submission, failed: Counter[str]) -> None:
    """Do what is due about a submission; `failed` counts the attempts by identity that came to nothing."""
    address = submission.flink_rest or stack.address("flink-web")
    try:
        state = rest.states(address).get(submission.run)
    except FleetpulseError:
        return  # Flink is away: who starts it is not this program
    match step(submission, state):
        case Step.FORGET:
            forget(stack, submission.run)
            _say(f"{submission.identity} was stopped, and is not kept any more")
        case Step.GIVE_UP:
            why = f"job {submission.run} failed for good: {cause(rest.exception(address, submission.run))}"
            _give_up(stack, submission, why)
        case Step.SUBMIT:
            _submit_again(stack, submission, failed)


def _submit_again(stack: Layout, lost: Submission, failed: Counter[str]) -> None:
    try:
        restore = lost.newest_checkpoint()
    except LookupError:
        _give_up(
            stack, lost, f"Flink has lost it, and its checkpoints are not on this machine but in {lost.checkpoints}"
        )
        return
    given = {**os.environ, **lost.variables}
    environment = given if lost.flink_rest else surroundings(stack, given)
    try:
        with chdir(lost.folder):
            run = submit(stack, lost.job, lost.arguments, restore, lost.flink_rest, lost.flink_python, environment)
    except (FleetpulseError, OSError) as refused:
        failed[lost.identity] += 1
        _say(f"{lost.identity} could not be submitted again: {refused}")
        if failed[lost.identity] >= _ATTEMPTS:
            _give_up(stack, lost, f"could not be submitted again: {refused}")
        return
    del failed[lost.identity]
    remember(stack, replace(lost, run=run, restore=restore))
    _say(f"{lost.identity} was lost, and goes on as job {run} from {restore or 'the beginning: it had no checkpoint'}")


def _give_up(stack: Layout, submission: Submission, why: str) -> None:
    remember(stack, replace(submission, given_up=why))
    _say(f"{submission.identity} is not submitted again: {why}; {what_to_do(submission)}")


def what_to_do(submission: Submission) -> str:
    """How a person gets a job back that is given up."""
    return f"submit it with `fleetpulse stack submit {submission.job} --restore CHECKPOINT`"


def _say(line: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    keep(layout(sys.argv[1]))
