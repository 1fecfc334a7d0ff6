"""When devices are silent: a pure function of scenario, device and time, with three causes.

failure   in each cycle of five timeouts with the failure probability; starts in the first two timeouts of the cycle and
          lasts one to three, so some silences just miss an evaluation instant and others span several
outage    a whole site at once, in each ten timeouts one site
death     a fifth of the failure probability, once, within the first two cycles: never to return
"""

from generator.fleet.chance import draw, mix, unit
from generator.scenario import Scenario

NEVER = 2**63 - 1
_FAILURE, _DEATH, _OUTAGE = 1, 2, 3
_DEAD_SHARE = 0.2
_CYCLES_AHEAD = 10_000  # where a device never fails, the search would not end

Silence = tuple[int, int]
"""First silent instant and first instant that is not, epoch ms."""

_NONE: Silence = (NEVER, NEVER)


def next_silence(scenario: Scenario, device: int, after_ms: int) -> Silence:
    """Return the earliest silence of `device` that ends after `after_ms`; one that never comes starts at NEVER."""
    return min(
        _failure(scenario, device, after_ms),
        _outage(scenario, device, after_ms),
        _death(scenario, device),
    )


def site_of(scenario: Scenario, device: int) -> int:
    """Return the number of the site of `device`. There are at least two, so no outage takes them all."""
    return device % _sites(scenario)


def _sites(scenario: Scenario) -> int:
    return min(20, max(2, scenario.devices // 10))


def _failure(scenario: Scenario, device: int, after_ms: int) -> Silence:
    if not scenario.failure_probability:
        return _NONE
    timeout, cycle = scenario.timeout_ms, 5 * scenario.timeout_ms
    key = draw(scenario.seed, _FAILURE, device)
    # Cycles are shifted from device to device, so that the fleet does not fail in step.
    origin = scenario.start_ms - key % cycle
    number = first = max(0, (after_ms - origin) // cycle)
    while (begin := origin + number * cycle) < scenario.end_ms:
        if number == first + _CYCLES_AHEAD:
            return begin, begin  # none so far: search on from there
        bits = mix(key + number)
        if unit(bits) < scenario.failure_probability:
            from_ms = begin + int(2 * timeout * unit(mix(bits + 1)))
            until_ms = from_ms + timeout + int(2 * timeout * unit(mix(bits + 2)))
            if until_ms > after_ms:
                return from_ms, until_ms
        number += 1
    return _NONE


def _outage(scenario: Scenario, device: int, after_ms: int) -> Silence:
    length, every = scenario.site_outage_ms, 10 * scenario.timeout_ms
    if not length:
        return _NONE
    origin, site = scenario.start_ms + every // 4, site_of(scenario, device)
    number = max(0, (after_ms - origin - length) // every)
    while (from_ms := origin + number * every) < scenario.end_ms:
        struck = draw(scenario.seed, _OUTAGE, number) % _sites(scenario)
        if struck == site and from_ms + length > after_ms:
            return from_ms, from_ms + length
        number += 1
    return _NONE


def _death(scenario: Scenario, device: int) -> Silence:
    bits = draw(scenario.seed, _DEATH, device)
    if unit(bits) >= scenario.failure_probability * _DEAD_SHARE:
        return _NONE
    return scenario.start_ms + int(10 * scenario.timeout_ms * unit(mix(bits))), NEVER
