"""Waiting in tests: always bounded, and a failure says what was last seen."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

T = TypeVar("T")
PATIENCE_S = 400  # a busy machine starts a job in a minute, and needs two to see that a TaskManager is gone


def wait_until(what: str, check: Callable[[], T], timeout_s: float = PATIENCE_S) -> T:
    """Call `check` until what it returns is true, and return that.

    Args:
        what: what is waited for; part of the failure's message.
        check: returns something false as long as it is not so. An exception counts as not so.
        timeout_s: how long to wait at most.

    Raises:
        AssertionError: it did not become true; says what was last seen.
    """
    last: object = None

    def attempt() -> T | None:
        nonlocal last
        try:
            last = found = check()
        except Exception as failed:
            last = failed
            return None
        return found

    waiting = Retrying(
        retry=retry_if_result(lambda found: not found), stop=stop_after_delay(timeout_s), wait=wait_fixed(0.3)
    )
    try:
        found = waiting(attempt)
    except RetryError:
        raise AssertionError(f"waited {timeout_s} s in vain for {what}; last seen: {last!r}") from None
    assert found is not None
    return found
