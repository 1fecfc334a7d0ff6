"""Which instants are decided when a job is stopped with a savepoint or drained, or its telemetry ends."""

import pytest

from fleetpulse.alerts import Revision
from fleetpulse.frames.frame import Original
from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.shard.clock import END_OF_INPUT_MS
from fleetpulse.shard.shard import ShardPolicy
from tests.unit.fleetpulse.shard.keyed import BOUND_MS, Keyed

T0 = 1_767_225_600_000
POLICY = ShardPolicy(("events",), shards=4, inactivity=InactivityPolicy())
DAY_S = 86_400
FLEET = [f"d{number}" for number in range(100)]


def speak(keyed: Keyed, second: int) -> None:
    at_ms = T0 + second * 1000
    keyed.accept([Original(0, 0, at_ms, None, b'{"device_id":"%s","ts":%d}' % (d.encode(), at_ms)) for d in FLEET])


def tick(keyed: Keyed, second: float) -> None:
    keyed.tick(T0 + round(second * 1000))


def opened(keyed: Keyed) -> set[str]:
    return {r.device_id for r in keyed.outputs if isinstance(r, Revision)}


def at(second: float) -> int:
    return T0 + round(second * 1000) - BOUND_MS - 1


def read_backlog(keyed: Keyed) -> None:
    """A backlog of yesterday, read today, after which its devices have ended."""
    for second in range(0, 100, 10):
        tick(keyed, DAY_S + second / 100)
        speak(keyed, second)
        keyed.advance(at(second))


def test_a_drained_backlog_whose_devices_had_ended_accuses_nobody():
    keyed = Keyed(POLICY)
    read_backlog(keyed)
    for late in (1.0, 1.2, 1.4):  # telemetry has ended; the watermark is that of ticks, which go on for a moment
        tick(keyed, DAY_S + late)
        keyed.advance(at(DAY_S + late))
    keyed.advance(END_OF_INPUT_MS)
    assert opened(keyed) == set()


def test_a_drained_live_fleet_has_all_alerts_up_to_the_drain():
    keyed = Keyed(POLICY)
    for second in range(100):
        tick(keyed, second)
        if second < 20:
            speak(keyed, second)
        keyed.advance(at(second))
    keyed.advance(at(100.5))
    keyed.advance(END_OF_INPUT_MS)
    assert opened(keyed) == set(FLEET)


def test_telemetry_that_ends_while_ticks_go_on_is_silence():
    keyed = Keyed(POLICY)
    read_backlog(keyed)
    for second in range(1, 36):
        tick(keyed, DAY_S + second)
        if second > 31:  # its partitions are idle, and so left out of the watermark
            keyed.advance(at(DAY_S + second))
    assert opened(keyed) == set(FLEET)
    assert {r.opened_at_ms for r in keyed.outputs if isinstance(r, Revision)} == {T0 + 180_000}


@pytest.mark.parametrize("away_s", [1, 600])
def test_a_job_stopped_with_a_savepoint_goes_on_where_it_was(away_s):
    """Nothing is decided when it stops; after it starts again what was sent meanwhile counts."""
    keyed = Keyed(POLICY)
    for second in range(100):
        tick(keyed, second)
        speak(keyed, second)
        keyed.advance(at(second))
    keyed.restart()
    for second in range(100 + away_s, 200 + away_s):
        tick(keyed, second)
        if second == 100 + away_s:
            for missed in range(100, second, 10):
                speak(keyed, missed)
        speak(keyed, second)
        keyed.advance(at(second))
    assert opened(keyed) == set()


def test_a_backlog_that_is_caught_up_with_is_decided_as_it_comes():
    keyed = Keyed(POLICY)
    for second in range(0, 3_600, 600):
        tick(keyed, DAY_S + second / 3_600)
        speak(keyed, second)
        keyed.advance(at(second))
    assert len([r for r in keyed.outputs if isinstance(r, Revision)]) == len(FLEET) * (2 * 5 - 1)
