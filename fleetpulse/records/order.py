"""Whether records come in the order of their time."""

from collections.abc import Iterable


def count_out_of_order(origins: Iterable[int], event_times_ms: Iterable[int], newest_ms: dict[int, int]) -> int:
    """How many records of a batch are older than one of their partition that was read before, late ones included.

    Args:
        origins: the partition of each, see `frames.Original`.
        event_times_ms: the event time of each; 0 where it was rejected, which counts as neither.
        newest_ms: the latest event time read so far of each partition; brought up to date.
    """
    count = 0
    for origin, time_ms in zip(origins, event_times_ms, strict=True):
        newest = newest_ms.get(origin, 0)
        if time_ms > newest:
            newest_ms[origin] = time_ms
        elif 0 < time_ms < newest:
            count += 1
    return count
