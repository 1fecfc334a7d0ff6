"""Holds each record back until it is due."""

from collections.abc import Callable, Iterable, Iterator

from generator.payloads.records import Record

# Shorter waits cost more than they gain: records due within it are sent together.
_SHORTEST_S = 0.005
# Waits are cut so that a signal is answered soon.
_LONGEST_S = 0.1


def paced(
    records: Iterable[Record],
    now_ms: Callable[[], float],
    wait: Callable[[float], object],
    stopped: Callable[[], bool],
) -> Iterator[Record]:
    """Yield each record once its send time has come; one that is overdue at once, so the past goes at full speed.

    Send times are absolute: delays are made up, and the average rate holds.

    Args:
        records: ordered by send time.
        now_ms: the clock, epoch milliseconds.
        wait: spends about so many seconds usefully; it may return early.
        stopped: once it says True nothing is held back any more, and what was not even taken by then is left out.
    """
    now = now_ms()
    for record in records:
        while record.send_ms > now and not stopped():
            now = now_ms()
            if record.send_ms > now:
                wait(min(max((record.send_ms - now) / 1000, _SHORTEST_S), _LONGEST_S))
                now = now_ms()
        if record.timestamp_ms > now and stopped() and record.timestamp_ms > now_ms():
            continue
        yield record
