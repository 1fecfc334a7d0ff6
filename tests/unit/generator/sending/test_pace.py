from generator.payloads.records import Record
from generator.sending.pace import paced


class ManualClock:
    """Moves only when waited on, or by what `cost_ms` says each record takes."""

    def __init__(self, now_ms: float = 0.0) -> None:
        self.now = now_ms
        self.waits: list[float] = []

    def now_ms(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds * 1000


def record(send_ms):
    return Record(send_ms, b"d1", b"{}", send_ms)


def sent_at(send_times_ms, clock, stopped=lambda: False, cost_ms=0.0):
    times = []
    for _ in paced(map(record, send_times_ms), clock.now_ms, clock.wait, stopped):
        times.append(clock.now)
        clock.now += cost_ms
    return times


def test_the_past_goes_out_without_waiting():
    clock = ManualClock(10_000)

    assert sent_at(range(0, 10_001, 100), clock) == [10_000] * 101
    assert clock.waits == []


def test_history_goes_over_into_live_without_a_gap():
    clock = ManualClock(1_000)
    due = list(range(0, 2_001, 100))

    assert sent_at(due, clock) == [1_000] * 10 + due[10:]


def test_no_record_is_sent_before_it_is_due_nor_later_than_the_shortest_wait_after():
    due = [n / 5 for n in range(5_000)]  # 5,000 a second
    times = sent_at(due, ManualClock())

    assert all(0 <= at - then <= 5 for at, then in zip(times, due, strict=True))


def test_the_rate_holds_within_a_percent_although_each_record_costs_time():
    times = sent_at([n / 5 for n in range(50_000)], ManualClock(), cost_ms=0.15)

    assert abs(times[-1] - 10_000) < 100


def test_a_long_wait_is_cut_so_that_a_signal_is_answered_soon():
    clock = ManualClock()
    sent_at([60_000], clock)

    assert max(clock.waits) <= 0.1


def test_once_stopped_what_is_on_its_way_is_sent_at_once_and_what_was_not_taken_yet_is_not():
    clock = ManualClock(1_000)
    delayed, to_come = Record(60_000, b"d1", b"{}", 1_000), record(1_001)

    assert list(paced([delayed, to_come, delayed], clock.now_ms, clock.wait, lambda: True)) == [delayed, delayed]
    assert clock.waits == []


def test_a_reading_that_fell_due_since_the_clock_was_looked_at_is_sent_although_stopped():
    times = iter([0.0, 100.0])

    assert len(list(paced([record(50)], lambda: next(times), lambda _: None, lambda: True))) == 1
