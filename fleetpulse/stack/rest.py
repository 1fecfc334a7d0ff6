"""Flink's REST interface, as far as the stack and the demo use it."""

from typing import Any, NamedTuple

import requests
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from fleetpulse.errors import ConfigurationError, FleetpulseError
from jobs.wiring.identity import PARAMETER

_TIMEOUT_S = 30
_SAVEPOINT_S = 300
_START_S = 120
_STARTING = {"CREATED", "SCHEDULED", "DEPLOYING", "INITIALIZING"}
_NOT_FLINK = "--flink.rest: what answers at {address} is not Flink's REST interface"
_ENDED = {"FINISHED", "FAILED", "CANCELED"}


def get(address: str, path: str) -> Any:
    """Return the decoded answer to a GET of `path`.

    Raises:
        ConfigurationError: nobody answers, or not Flink.
        FleetpulseError: Flink refuses.
    """
    return _call("GET", address, path, None)


class RunningJob(NamedTuple):
    """A job that has not ended."""

    id: str
    name: str


def running_jobs(address: str, name: str | None = None) -> list[RunningJob]:
    """The jobs that have not ended, in order of their ids; with `name` those of that name.

    Raises:
        ConfigurationError: nobody answers, or not Flink.
    """
    running = (RunningJob(job["jid"], job["name"]) for job in _jobs(address) if job["state"] not in _ENDED)
    return sorted(job for job in running if name in (None, job.name))


def states(address: str) -> dict[str, str]:
    """The state of every job that Flink knows, by id.

    Raises:
        ConfigurationError: nobody answers, or not Flink.
    """
    return {job["jid"]: job["state"] for job in _jobs(address)}


def exception(address: str, job: str) -> str:
    """The stack trace with which a job has failed last."""
    entries = get(address, f"/jobs/{job}/exceptions")["exceptionHistory"]["entries"]
    return str(entries[0]["stacktrace"]) if entries else ""


def _jobs(address: str) -> list[dict[str, Any]]:
    overview = get(address, "/jobs/overview")
    if not isinstance(overview, dict) or "jobs" not in overview:
        raise ConfigurationError(_NOT_FLINK.format(address=address))
    jobs: list[dict[str, Any]] = overview["jobs"]
    return jobs


def identity(address: str, job: str) -> str | None:
    """The identity that a job was submitted with; None where it has none, as before there were identities."""
    config = get(address, f"/jobs/{job}/config")
    found = config["execution-config"]["user-config"].get(PARAMETER)
    return None if found is None else str(found)


def restored_from(address: str, job: str) -> str | None:
    """The savepoint or checkpoint that a running job has started from, if any."""
    restored = get(address, f"/jobs/{job}/checkpoints")["latest"]["restored"]
    return str(restored["external_path"]) if restored else None


def job_id(address: str, name: str, wanted: str | None = None) -> str:
    """The id of the running job called `name`; `wanted` is the id of one of several.

    Raises:
        ConfigurationError: no such job runs, or several run and `wanted` does not choose one.
    """
    ids = [job.id for job in running_jobs(address, name)]
    if wanted is not None:
        if wanted in ids:
            return wanted
        raise ConfigurationError(f"--job.id: {wanted!r} is not one of those named {name!r}: {', '.join(ids) or 'none'}")
    if not ids:
        others = ", ".join(sorted({job.name for job in running_jobs(address)})) or "none"
        raise ConfigurationError(f"no job named {name!r} runs at {address}; jobs that run: {others}")
    if len(ids) > 1:
        raise ConfigurationError(
            f"{len(ids)} jobs named {name!r} run at {address}: name one with --job.id, of {', '.join(ids)}"
        )
    return ids[0]


def savepoint(address: str, job: str, folder: str | None, stop: bool) -> str:
    """Take a savepoint and return its path; with `stop` the job ends with it.

    Args:
        address: `host:port` of Flink's REST interface.
        job: the job's id.
        folder: URI of where to put it; the cluster's own folder when None.
        stop: whether the job ends.

    Raises:
        FleetpulseError: it fails, or takes longer than 5 minutes.
    """
    _wait_until_started(address, job)
    action, request = ("stop", {"drain": False}) if stop else ("savepoints", {})
    body: dict[str, Any] = {**request, **({"targetDirectory": folder} if folder else {})}
    trigger = _call("POST", address, f"/jobs/{job}/{action}", body)["request-id"]
    patiently = Retrying(
        retry=retry_if_result(lambda answer: answer["status"]["id"] != "COMPLETED"),
        stop=stop_after_delay(_SAVEPOINT_S),
        wait=wait_fixed(0.3),
        retry_error_callback=lambda _state: {"operation": {}},
    )
    operation = patiently(get, address, f"/jobs/{job}/savepoints/{trigger}")["operation"]
    if "location" not in operation:
        cause = operation.get("failure-cause", {}).get("stack-trace", f"not done after {_SAVEPOINT_S} s")
        raise FleetpulseError(f"no savepoint of job {job}: {cause.splitlines()[0]}")
    if stop:
        _wait_until_ended(address, job)
    return str(operation["location"])


def _wait_until_started(address: str, job: str) -> None:
    """Wait while tasks are on their way: a job takes no savepoint before all of them run."""
    waiting = Retrying(
        retry=retry_if_result(lambda job: any(task["status"] in _STARTING for task in job["vertices"])),
        stop=stop_after_delay(_START_S),
        wait=wait_fixed(0.3),
        retry_error_callback=lambda _state: None,  # the savepoint will say what is wrong
    )
    waiting(get, address, f"/jobs/{job}")


def _wait_until_ended(address: str, job: str) -> None:
    """Wait for the end that a savepoint brings, so that what is submitted next finds its topics free."""
    waiting = Retrying(
        retry=retry_if_result(lambda job: job["state"] not in _ENDED),
        stop=stop_after_delay(_START_S),
        wait=wait_fixed(0.3),
        retry_error_callback=lambda _state: None,
    )
    waiting(get, address, f"/jobs/{job}")


def cancel(address: str, job: str) -> None:
    """Ask a job to end without a savepoint."""
    _call("PATCH", address, f"/jobs/{job}?mode=cancel", None)


def _call(method: str, address: str, path: str, body: dict[str, Any] | None) -> Any:
    try:
        answer = requests.request(method, f"http://{address}{path}", json=body, timeout=_TIMEOUT_S)
    except requests.RequestException as failed:
        raise ConfigurationError(
            f"Flink does not answer at {address} ({type(failed).__name__}): start it with `make stack-up`, or name "
            "another with --flink.rest"
        ) from failed
    try:
        decoded = answer.json()
    except requests.JSONDecodeError:
        decoded = None
    if answer.ok and decoded is not None:
        return decoded
    if isinstance(decoded, dict) and decoded.get("errors"):
        cause = str(decoded["errors"][0]).strip().splitlines()[0]
        raise FleetpulseError(f"Flink at {address} refuses {path}: {cause}")
    raise ConfigurationError(_NOT_FLINK.format(address=address))
