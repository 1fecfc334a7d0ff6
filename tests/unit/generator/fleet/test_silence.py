from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from generator.fleet.silence import NEVER, next_silence, site_of
from generator.scenario import ENDLESS_MS
from tests.unit.generator.fleets import QUIET, START_MS

FAILING = replace(QUIET, failure_probability=0.5, duration_ms=3_000_000)
OUTAGE = replace(QUIET, site_outage_ms=100_000)


def silences(scenario, device):
    """All silences of a device until the scenario ends."""
    after_ms = scenario.start_ms
    while after_ms != NEVER and (found := next_silence(scenario, device, after_ms))[0] < scenario.end_ms:
        yield found
        after_ms = found[1]


@given(st.integers(0, 49), st.integers(0, 3_000_000))
def test_a_silence_ends_after_the_time_asked_for_and_the_next_is_not_earlier(device, after):
    from_ms, until_ms = next_silence(FAILING, device, START_MS + after)

    assert until_ms > START_MS + after
    assert from_ms < until_ms or from_ms == NEVER


def test_nobody_is_silent_without_faults():
    assert all(next_silence(QUIET, device, START_MS) == (NEVER, NEVER) for device in range(50))


def test_failures_last_one_to_three_timeouts_and_come_with_their_probability():
    fleet = replace(FAILING, devices=500)
    ended = [s for device in range(500) for s in silences(fleet, device) if s[1] != NEVER]
    cycles = 500 * fleet.duration_ms / (5 * fleet.timeout_ms)

    assert all(fleet.timeout_ms <= until - start <= 3 * fleet.timeout_ms for start, until in ended)
    assert 0.4 < len(ended) / cycles < 0.5  # the dead no longer fail


def test_a_fifth_of_the_failure_probability_never_returns():
    dead = [d for d in range(500) if any(until == NEVER for _, until in silences(FAILING, d))]

    assert 30 < len(dead) < 70


def test_an_outage_silences_a_whole_site_and_no_other():
    by_site = {}
    for device in range(50):
        by_site.setdefault(site_of(OUTAGE, device), set()).add(tuple(silences(OUTAGE, device)))

    assert sorted(len(found) for found in by_site.values()) == [1] * len(by_site)
    struck = [found for (found,) in by_site.values() if found]
    assert struck == [((START_MS + 150_000, START_MS + 250_000),)]


def test_the_search_for_a_silence_ends_though_the_fleet_does_not_and_goes_on_later():
    hardly = replace(QUIET, failure_probability=1e-12, site_outage_ms=0, duration_ms=ENDLESS_MS)
    silent_from, silent_until = next_silence(hardly, 0, START_MS)
    assert START_MS < silent_from == silent_until
    assert next_silence(hardly, 0, silent_from)[0] > silent_from
