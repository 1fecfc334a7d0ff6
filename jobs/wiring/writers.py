"""What one job alone may write, and the running job that writes it already."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from fleetpulse.errors import ConfigurationError

PARAMETER = "fleetpulse.writes"  # among the parameters that Flink's REST interface shows of a job
_ENDED = {"FINISHED", "FAILED", "CANCELED"}
_ENDING = {"CANCELLING", "FAILING"}
_ENDING_S = 30

Get = Callable[[str], Any]  # the decoded answer of Flink's REST interface to a path


@dataclass(frozen=True, slots=True)
class Claim:
    """What a job alone may write: the places, by the settings that name them, of those who use these brokers."""

    bootstrap_servers: str
    places: Mapping[str, str]

    def text(self) -> str:
        """The claim in a line, for `claim_of`."""
        return json.dumps({"brokers": self.bootstrap_servers, "places": dict(self.places)})

    def taken_by(self, other: "Claim") -> str | None:
        """The setting whose place the other job writes too; None without one.

        Jobs that name no broker in common count as apart, though brokers of one cluster have several addresses.
        """
        if not _addresses(self.bootstrap_servers) & _addresses(other.bootstrap_servers):
            return None
        theirs = set(other.places.values())
        return next((setting for setting, place in self.places.items() if place in theirs), None)


def claim_of(text: str) -> Claim:
    """The claim that `Claim.text` wrote."""
    fields = json.loads(text)
    return Claim(fields["brokers"], fields["places"])


def _addresses(bootstrap_servers: str) -> set[str]:
    servers = (server.strip().lower() for server in bootstrap_servers.split(","))
    return {server.replace("localhost:", "127.0.0.1:") for server in servers}


class _Writer(NamedTuple):
    """A job that has not ended and writes to the place that a setting names."""

    setting: str
    id: str
    name: str
    state: str


def refuse_second(get: Get, claim: Claim) -> None:
    """Refuse to submit a job beside one that writes to the same place.

    A job that is about to end is waited for, half a minute.

    Raises:
        ConfigurationError: names the setting, the place, the job, and what to do.
    """
    waiting = Retrying(
        retry=retry_if_result(lambda writer: writer is not None and writer.state in _ENDING),
        stop=stop_after_delay(_ENDING_S),
        wait=wait_fixed(0.3),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    writer: _Writer | None = waiting(_writer, get, claim)
    if writer is not None:
        place = claim.places[writer.setting]
        job = writer.name.removeprefix("fleetpulse ").partition(" ")[0]
        raise ConfigurationError(
            f"{writer.setting}: job {writer.id} ({writer.name}) writes to {place!r} already: stop it with "
            f"`make savepoint JOB={job} STOP=1 JOB_ID={writer.id}`, or name another"
        )


def _writer(get: Get, claim: Claim) -> _Writer | None:
    for job in get("/jobs/overview")["jobs"]:
        if job["state"] not in _ENDED:
            shown = get(f"/jobs/{job['jid']}/config").get("execution-config") or {}  # none before it has begun
            text = shown.get("user-config", {}).get(PARAMETER)
            if text and (setting := claim.taken_by(claim_of(text))):
                return _Writer(setting, job["jid"], job["name"], job["state"])
    return None
