from datetime import UTC, datetime, timedelta, timezone

import pytest

from fleetpulse.dashboards.render import View, render

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = datetime(2026, 1, 2, 0, 0, 0, 250_000, tzinfo=UTC)


def rendered(sql, interval="1m", **variables):
    return render(sql, View(SINCE, UNTIL, interval, variables))


@pytest.mark.parametrize(
    ("sql", "sent"),
    [
        ("$__timeFilter(a.time)", "a.time BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-02T00:00:00.250000Z'"),
        ("$__timeFrom()::timestamptz", "'2026-01-01T00:00:00Z'::timestamptz"),
        ("$__timeTo()", "'2026-01-02T00:00:00.250000Z'"),
        ("$__timeGroupAlias(time,5m)", 'floor(extract(epoch from time)/300)*300 AS "time"'),
        ("$__timeGroupAlias(time, $__interval, 0)", 'floor(extract(epoch from time)/60)*60 AS "time"'),
        ("$__timeGroupAlias(time,1m,NULL)", 'floor(extract(epoch from time)/60)*60 AS "time"'),
        ("$__interval_ms / 1000.0", "60000 / 1000.0"),
    ],
)
def test_macros_become_what_grafana_s_documentation_says(sql, sent):
    assert rendered(sql) == sent


def test_times_are_told_in_utc():
    berlin = SINCE.astimezone(timezone(timedelta(hours=1)))
    assert render("$__timeFrom()", View(berlin, UNTIL)) == "'2026-01-01T00:00:00Z'"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        pytest.param(None, "NULL", id="all"),
        pytest.param(["a"], "'a'", id="one of several"),
        pytest.param(["a", "o'b"], "'a','o''b'", id="two of several"),
        pytest.param(['"a" \\'], "'\"a\" \\'", id="double quotes and backslashes stay"),
        pytest.param("o'b", "o''b", id="one value is quoted where it is used"),
    ],
)
def test_values_are_quoted_as_the_data_source_does(value, sent):
    assert rendered("${x}", x=value) == sent


def test_a_value_that_looks_like_a_variable_is_left_alone():
    assert rendered("${x}", x=["${y}"], y=["no"]) == "'${y}'"


def test_a_macro_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="timeGroup"):
        rendered("$__timeGroup(time,1m)")
