"""The readings of a fleet, with the times of measuring and sending: a stream ordered by time, never a list."""

import heapq
from collections.abc import Iterator
from enum import Enum
from itertools import count
from typing import NamedTuple

from generator.fleet.chance import draw, mix, unit
from generator.fleet.silence import next_silence
from generator.scenario import LATE_EVERY, MAX_DEVICES, Scenario

_READING = 4
_DEVICE_BITS = MAX_DEVICES.bit_length() - 1  # room for the device's number below the tick's


class Fault(Enum):
    """What is wrong with one reading or with the clock that stamped it."""

    NONE = "none"
    OUT_OF_ORDER = "out_of_order"  # sent later, within the bound
    LATE = "late"  # sent later, beyond the bound
    DUPLICATE = "duplicate"  # sent twice, the second time within the bound
    MALFORMED = "malformed"
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_BEHIND = "clock_behind"


class Reading(NamedTuple):
    """One reading of one device, before it is encoded."""

    device: int
    device_id: str
    tick: int
    time_ms: int  # when it was really taken
    fault: Fault
    noise: int  # 64 bits of chance, of this reading alone


def readings(scenario: Scenario) -> Iterator[Reading]:
    """Yield all readings in the order in which they are taken. Memory: three numbers a device."""
    interval, step = scenario.interval_ms, scenario.interval_ms / scenario.devices
    start, end = scenario.start_ms, scenario.end_ms
    key = draw(scenario.seed, _READING)
    in_time, at_times_late = _fault_table(scenario, 0.0), _fault_table(scenario, scenario.late_rate * LATE_EVERY)
    clocks, names = _wrong_clocks(scenario), [sensor.sensor_id for sensor in scenario.sensors]
    silences = [next_silence(scenario, device, start) for device in range(scenario.devices)]
    for tick in count():
        for device, (silent_from, silent_until) in enumerate(silences):
            # Devices take turns within the interval, so the fleet's rate is even.
            time_ms = start + int(tick * interval + device * step)
            if time_ms >= end:
                return
            if time_ms >= silent_from:
                if time_ms >= silent_until:
                    silences[device] = silent_from, silent_until = next_silence(scenario, device, time_ms)
                if silent_from <= time_ms:
                    continue
            noise = mix(key + (tick << _DEVICE_BITS) + device)
            table = in_time if device % LATE_EVERY else at_times_late
            fault = clocks.get(device) or _fault(table, unit(noise))
            device_id = names[device] if names else f"device-{device:05d}"
            yield Reading(device, device_id, tick, time_ms, fault, noise)


def in_transit(taken: Iterator[Reading], scenario: Scenario) -> Iterator[tuple[int, Reading]]:
    """Yield (send time in epoch ms, reading) ordered by send time: delayed readings wait in a heap.

    Readings still on their way at the end are sent then, so that none is missing.
    """
    delayed: list[tuple[int, int, Reading]] = []
    numbers = count()  # the heap compares nothing after it
    for reading in taken:
        time_ms = reading.time_ms
        while delayed and delayed[0][0] <= time_ms:
            send_ms, _, waiting = heapq.heappop(delayed)
            yield send_ms, waiting
        delay_ms = _delay_ms(reading, scenario.bound_ms) if reading.fault in _DELAYED else 0
        if delay_ms:
            heapq.heappush(delayed, (min(time_ms + delay_ms, scenario.end_ms), next(numbers), reading))
        if not delay_ms or reading.fault is Fault.DUPLICATE:
            yield time_ms, reading
    while delayed:
        send_ms, _, waiting = heapq.heappop(delayed)
        yield send_ms, waiting


_DELAYED = frozenset({Fault.OUT_OF_ORDER, Fault.LATE, Fault.DUPLICATE})


def _delay_ms(reading: Reading, bound_ms: int) -> int:
    # A quarter of the bound is kept free for the way to the broker, so that "within the bound" holds live as well.
    share = unit(mix(reading.noise))
    if reading.fault is Fault.LATE:
        return int(bound_ms * (1.25 + 13.75 * share)) + 1
    return int(bound_ms * 0.75 * share) + 1


def _fault_table(scenario: Scenario, late_rate: float) -> list[tuple[float, Fault]]:
    """Return (cumulated share, fault), lowest first."""
    table, total = [], 0.0
    for rate, fault in (
        (scenario.out_of_order_rate, Fault.OUT_OF_ORDER),
        (late_rate, Fault.LATE),
        (scenario.duplicate_rate, Fault.DUPLICATE),
        (scenario.malformed_rate, Fault.MALFORMED),
    ):
        if rate:
            total += rate
            table.append((total, fault))
    return table


def _fault(table: list[tuple[float, Fault]], share: float) -> Fault:
    for below, fault in table:
        if share < below:
            return fault
    return Fault.NONE


def _wrong_clocks(scenario: Scenario) -> dict[int, Fault]:
    ahead = scenario.devices - scenario.clock_ahead_devices
    behind = ahead - scenario.clock_behind_devices
    return {
        **dict.fromkeys(range(behind, ahead), Fault.CLOCK_BEHIND),
        **dict.fromkeys(range(ahead, scenario.devices), Fault.CLOCK_AHEAD),
    }
