"""A client of an HTTP server that may be away for a while."""

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from tenacity import RetryCallState, RetryError, Retrying, retry_if_exception_type, wait_exponential

from fleetpulse.errors import ConfigurationError, FleetpulseError
from fleetpulse.printable import printable

_LONGEST_DELAY_S = 30
_NO_ADDRESS = (
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)

_log = logging.getLogger(__name__)

T = TypeVar("T")


class AwayError(Exception):
    """The server did not answer, or answered what a repeat may change."""


class PatientClient:
    """Repeats requests while the server is away, with growing pauses, and logs each pause.

    Attributes:
        name: what messages call the server; holds no password.
    """

    def __init__(
        self,
        kind: str,
        url: str,
        patience_s: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Connects to nothing yet.

        Args:
            kind: what the server is, as in `the search server`.
            url: where it is, with user and password if it wants them.
            patience_s: how long the server may be away.
            now: a clock, in seconds.
            sleep: waits for so many seconds.
        """
        self.name = f"{kind} at {urlsplit(url).netloc.rpartition('@')[2]}"
        self._url, self._patience_s, self._now, self._sleep = url.rstrip("/"), patience_s, now, sleep
        self._session = requests.Session()

    def request(self, method: str, path: str, **given: Any) -> requests.Response:
        """Send one request; `given` goes to `requests`.

        Raises:
            AwayError: no answer, or one that means that the server is busy or broken.
            ConfigurationError: the URL is not valid.
        """
        try:
            answer = self._session.request(method, self._url + path, **given)
        except _NO_ADDRESS as bad:
            raise ConfigurationError(f"{self.name}: {bad}") from bad
        except requests.RequestException as failed:
            raise AwayError(type(failed).__name__) from failed
        if answer.status_code >= 500 or answer.status_code == requests.codes.too_many_requests:
            raise AwayError(f"HTTP {answer.status_code}")
        return answer

    def repeat(self, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it raises no AwayError.

        Raises:
            FleetpulseError: the server is away for longer than `patience_s`.
        """
        began = self._now()
        attempts = Retrying(
            retry=retry_if_exception_type(AwayError),
            wait=wait_exponential(max=_LONGEST_DELAY_S),
            stop=lambda _: self._now() - began >= self._patience_s,
            sleep=self._sleep,
            before_sleep=self._log_pause,
        )
        try:
            return attempts(attempt)
        except RetryError as late:
            why = late.last_attempt.exception()
            raise FleetpulseError(f"{self.name} is away for {self._patience_s} s ({why}): is it started?") from late

    def _log_pause(self, state: RetryCallState) -> None:
        assert state.outcome is not None
        _log.warning(
            "%s is away (%s): next try in %.0f s",
            self.name,
            printable(str(state.outcome.exception())),
            state.upcoming_sleep,
        )
