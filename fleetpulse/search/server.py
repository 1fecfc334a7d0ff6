"""A search server's bulk interface, as OpenSearch and Elasticsearch have it."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
import requests
from tenacity import RetryCallState, RetryError, Retrying, retry_if_exception_type, wait_exponential

from fleetpulse.errors import FleetpulseError

PATIENCE_S = 240  # less than the 300 s after which Kafka gives up a reader that does not ask for more

_LONGEST_DELAY_S = 30
_TIMEOUT_S = 60
_UNFIT = requests.codes.bad_request  # said of a document that no repeat will make fit
_HEADERS = {"Content-Type": "application/x-ndjson"}
_OF_INTEREST = {"filter_path": "errors,items.*.status,items.*.error"}

_log = logging.getLogger(__name__)

Document = Mapping[str, Any]


class Refusal(NamedTuple):
    """A document that the server will never take, and why."""

    origin: str
    why: str


class _AwayError(Exception):
    """No answer, or one that a repeat may change."""


class SearchServer:
    """Writes documents to an index. While the server is away it waits, and says so in the log."""

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
        self._url, self._index, self._now, self._sleep = f"{url.rstrip('/')}/{index}/_bulk", index, now, sleep
        self._name = f"the search server at {urlsplit(url).netloc.rpartition('@')[2]}"  # without the password
        self._session = requests.Session()

    def write(self, documents: Sequence[Document]) -> list[Refusal]:
        """Write documents, each with its `origin` as its id, so that a repeat is no second one.

        Returns:
            Those that do not fit the index; all others are on the server's disk.

        Raises:
            FleetpulseError: the server is away for 4 minutes, or does not talk to us.
        """
        began = self._now()
        left, refused = list(documents), list[Refusal]()

        def attempt() -> None:
            nonlocal left
            left = self._left_of(left, refused)
            if left:
                raise _AwayError(f"{len(left)} documents not taken")

        attempts = Retrying(
            retry=retry_if_exception_type(_AwayError),
            wait=wait_exponential(max=_LONGEST_DELAY_S),
            stop=lambda _: self._now() - began >= PATIENCE_S,
            sleep=self._sleep,
            before_sleep=self._say,
        )
        try:
            attempts(attempt)
        except RetryError as late:
            why = late.last_attempt.exception()
            raise FleetpulseError(f"{self._name} is away for {PATIENCE_S} s ({why}): is it started?") from late
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
        try:
            answer = self._session.post(self._url, params=_OF_INTEREST, data=body, headers=_HEADERS, timeout=_TIMEOUT_S)
        except requests.RequestException as failed:
            raise _AwayError(type(failed).__name__) from failed
        if answer.status_code >= 500 or answer.status_code == requests.codes.too_many_requests:
            raise _AwayError(f"HTTP {answer.status_code}")
        if answer.status_code != requests.codes.ok:
            raise FleetpulseError(f"{self._name} does not write to index {self._index}: HTTP {answer.status_code}")
        found: dict[str, Any] = answer.json()
        return found

    def _say(self, state: RetryCallState) -> None:
        assert state.outcome is not None
        _log.warning("%s is away (%s): next try in %.0f s", self._name, state.outcome.exception(), state.upcoming_sleep)


def _reason(error: Mapping[str, Any]) -> str:
    cause = error.get("caused_by") or error
    return f"{error.get('reason')} ({cause.get('reason')})" if cause is not error else str(error.get("reason"))
