"""A search server's bulk interface, as OpenSearch and Elasticsearch have it."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import requests

from fleetpulse.errors import FleetpulseError
from fleetpulse.http import AwayError, PatientClient

PATIENCE_S = 240  # less than the 300 s after which Kafka gives up a reader that does not ask for more

_TIMEOUT_S = 60
_UNFIT = requests.codes.bad_request  # for a document that no repeat will make fit
_HEADERS = {"Content-Type": "application/x-ndjson"}
_OF_INTEREST = {"filter_path": "errors,items.*.status,items.*.error"}

Document = Mapping[str, Any]


class Refusal(NamedTuple):
    """A document that the server will never take, and why."""

    origin: str
    why: str


class SearchServer:
    """Writes documents to an index. While the server is away it waits, and logs each pause."""

    def __init__(
        self,
        url: str,
        index: str,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Connects to nothing yet.

        Args:
            url: where the server is, with user and password if it wants them.
            index: the index's name.
            now: a clock, in seconds.
            sleep: waits for so many seconds.
        """
        self._client = PatientClient("the search server", url, PATIENCE_S, now, sleep)
        self._index = index

    def write(self, documents: Sequence[Document]) -> list[Refusal]:
        """Write documents, each with its `origin` as its id, so that a repeat is no second one.

        Returns:
            Those that do not fit the index; all others are on the server's disk.

        Raises:
            FleetpulseError: the server is away for 4 minutes, or answers with an unexpected status.
        """
        left, refused = list(documents), list[Refusal]()

        def attempt() -> None:
            nonlocal left
            left = self._left_of(left, refused)
            if left:
                raise AwayError(f"{len(left)} documents not taken")

        self._client.repeat(attempt)
        return refused

    def _left_of(self, documents: Sequence[Document], refused: list[Refusal]) -> list[Document]:
        """Write once. Returns what has to be written again, and notes what is refused."""
        if not documents:
            return []
        left = []
        answer = self._post(documents)
        if not answer["errors"]:
            return []
        for document, item in zip(documents, answer["items"], strict=True):
            result = item["index"]
            if result["status"] == _UNFIT:
                refused.append(Refusal(document["origin"], _reason(result["error"])))
            elif result["status"] >= _UNFIT:  # the server's trouble: too busy, disk full, index locked
                left.append(document)
        return left

    def _post(self, documents: Sequence[Document]) -> dict[str, Any]:
        lines = [part for document in documents for part in ({"index": {"_id": document["origin"]}}, document)]
        body = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        answer = self._client.request(
            "POST", f"/{self._index}/_bulk", params=_OF_INTEREST, data=body, headers=_HEADERS, timeout=_TIMEOUT_S
        )
        if answer.status_code != requests.codes.ok:
            raise FleetpulseError(
                f"{self._client.name} does not write to index {self._index}: HTTP {answer.status_code}"
            )
        found: dict[str, Any] = answer.json()
        return found


def _reason(error: Mapping[str, Any]) -> str:
    cause = error.get("caused_by") or error
    return f"{error.get('reason')} ({cause.get('reason')})" if cause is not error else str(error.get("reason"))
