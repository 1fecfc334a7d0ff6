"""What becomes of a submission, from what Flink shows of it."""

from enum import Enum

from fleetpulse.stack.keeper.submissions import Submission


class Step(Enum):
    """What to do about a submission."""

    LEAVE = "leave"
    SUBMIT = "submit again"
    FORGET = "forget"
    GIVE_UP = "give up"


def step(submission: Submission, state: str | None) -> Step:
    """What to do about a submission whose job has this state in Flink; None where Flink does not know the job.

    Flink forgets its jobs when its JobManager ends, and only then: who stops a job leaves it there as ended.
    """
    if submission.given_up:
        return Step.LEAVE
    if state is None:
        return Step.SUBMIT
    if state == "FAILED":
        return Step.GIVE_UP
    return Step.FORGET if state in ("CANCELED", "FINISHED") else Step.LEAVE
