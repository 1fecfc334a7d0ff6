"""What each type of setting reads, and what it refuses."""

from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.cli.database import Database, jdbc, libpq
from fleetpulse.cli.parameters import SHARE, Duration, Instant, Number, Servers, Topics, Url

HTTP = Url(r"https?://[^\s/]+\S*", "is no URL")


def convert(kind: click.ParamType[Any], text: str) -> Any:
    return kind.convert(text, None, None)


def refusal(kind: click.ParamType[Any], text: str) -> str:
    with pytest.raises(click.BadParameter) as refused:
        convert(kind, text)
    message = refused.value.format_message()
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("text", "in_ms", "in_seconds"),
    [("60000", 60_000, 60_000_000), ("2s", 2_000, 2_000), ("500ms", 500, 500), ("5m", 300_000, 300_000)],
)
def test_a_duration_has_a_unit_of_its_own_or_that_of_its_name(text: str, in_ms: int, in_seconds: int) -> None:
    assert convert(Duration("ms"), text) == in_ms
    assert convert(Duration("s"), text) == in_seconds
    assert isinstance(convert(Duration("ms"), text), int)


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "1e3", "", "9" * 400, "1y", "1 s s", "٣"])
def test_no_text_makes_a_duration_without_end(text: str) -> None:
    assert "duration" in refusal(Duration(), text) or "longer than" in refusal(Duration(), text)


def test_a_duration_says_its_range_as_people_write_it() -> None:
    assert "'15m' is not in the range 100ms to 10m" in refusal(Duration("ms", 100, 600_000), "15m")
    assert "'0.5' is not a whole number of milliseconds" in refusal(Duration(), "0.5")
    assert convert(Duration(whole=False), "0.5") == 0.5


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-inf", "Infinity", "-nan", "1e999", "-1e999"])
@pytest.mark.parametrize("kind", [SHARE, Number(0), Number()], ids=["share", "open", "any"])
def test_a_number_is_finite(kind: Number, text: str) -> None:
    assert "expected a number" in refusal(kind, text)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_share_is_in_its_range_or_refused(number: float) -> None:
    if 0 <= number <= 1:
        assert convert(SHARE, repr(number)) == number
    else:
        refusal(SHARE, repr(number))


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("1767225600", 1_767_225_600_000),
        ("1767225600.25", 1_767_225_600_250),
        ("1767225600250", 1_767_225_600_250),
        ("1767225600250000", 1_767_225_600_250),
        ("1767225600250000000", 1_767_225_600_250),
        ("2026-01-01", 1_767_225_600_000),
        ("2026-01-01T00:00:00.250Z", 1_767_225_600_250),
    ],
)
def test_an_instant_is_whatever_a_record_s_time_may_be(text: str, expected_ms: int) -> None:
    assert convert(Instant(), text) == expected_ms


@pytest.mark.parametrize("text", ["nan", "inf", "0", "-5", "1e300", "9" * 30, "9" * 5000, "10000-01-01", "now", ""])
def test_what_is_no_instant_is_refused(text: str) -> None:
    assert "1970" in refusal(Instant(), text) or "9999" in refusal(Instant(), text)


@pytest.mark.parametrize("text", ["a;b", "a,b", "a ; b", " a,b "])
def test_a_list_is_separated_by_either(text: str) -> None:
    assert convert(Topics(), text) == ("a", "b")


@pytest.mark.parametrize("text", ["", "a;;b", "a,", ";", "a;a", "a,b;a"])
def test_a_list_has_no_gaps_and_nothing_twice(text: str) -> None:
    assert "separated by ';' or ','" in refusal(Topics(), text)


@pytest.mark.parametrize("text", ["a:1,b:65535", "a:1;b:65535", "a:1 , b:65535"])
def test_addresses_are_separated_by_either(text: str) -> None:
    assert convert(Servers(), text) == "a:1,b:65535"


@pytest.mark.parametrize("port", ["0", "65536", "99999", "99999999"])
def test_a_port_is_from_1_to_65535(port: str) -> None:
    assert "1 to 65535" in refusal(Servers(), f"a:9092,b:{port}")
    assert "1 to 65535" in refusal(Servers(several=False), f"a:{port}")
    assert "1 to 65535" in refusal(HTTP, f"http://a:{port}/x")
    assert "1 to 65535" in refusal(Database(), f"postgresql://a:{port}/m")
    assert "1 to 65535" in refusal(Database(), f"jdbc:postgresql://a:5432,b:{port}/m")


@pytest.mark.parametrize("text", ["a", "a:", ":1", "a:b", "a:1:2", "http://a:1", "a:-1", "a:١"])
def test_what_is_no_address_is_refused(text: str) -> None:
    assert "host:port" in refusal(Servers(), text)


DRIVER = {"ApplicationName": "fleetpulse-archive", "socketTimeout": "60"}


@pytest.mark.parametrize(
    ("text", "for_libpq", "for_jdbc", "user"),
    [
        (
            "postgresql://db:5432/monitoring",
            "postgresql://db:5432/monitoring",
            "jdbc:postgresql://db:5432/monitoring?ApplicationName=fleetpulse-archive&socketTimeout=60",
            None,
        ),
        (
            "jdbc:postgresql://db:5432/monitoring",
            "postgresql://db:5432/monitoring",
            "jdbc:postgresql://db:5432/monitoring?ApplicationName=fleetpulse-archive&socketTimeout=60",
            None,
        ),
        (
            "postgresql://owner@db/monitoring?sslmode=require&application_name=mine",
            "postgresql://owner@db/monitoring?sslmode=require&application_name=mine",
            "jdbc:postgresql://db/monitoring?ApplicationName=mine&socketTimeout=60&sslmode=require",
            "owner",
        ),
        (
            "jdbc:postgresql://a:1,b:2/m?user=w&socketTimeout=5&ApplicationName=mine",
            "postgresql://a:1,b:2/m?user=w&application_name=mine",
            "jdbc:postgresql://a:1,b:2/m?ApplicationName=mine&socketTimeout=5",
            "w",
        ),
    ],
)
def test_a_database_is_named_the_same_for_both_drivers(
    text: str, for_libpq: str, for_jdbc: str, user: str | None
) -> None:
    assert convert(Database(), text) == text
    assert libpq(text) == for_libpq
    assert jdbc(text, DRIVER) == (for_jdbc, user)


def test_a_keyword_string_is_for_psycopg_alone() -> None:
    assert libpq(convert(Database(), "host=db dbname=monitoring")) == "host=db dbname=monitoring"
    assert "should look like" in refusal(Database(keywords=False), "host=db dbname=monitoring")


@pytest.mark.parametrize("text", ["postgresql://w:secret@db/m", "jdbc:postgresql://db/m?password=secret"])
def test_a_password_does_not_pass_through_a_job_s_command_line(text: str) -> None:
    with pytest.raises(ValueError, match="holds a password"):
        jdbc(text, {})


@pytest.mark.parametrize("text", ["localhost", "mysql://db/m", "", "jdbc:oracle:thin:@db", "mysql://u:secret@db/m"])
def test_what_is_no_database_is_refused_without_its_password(text: str) -> None:
    message = refusal(Database(), text)
    assert "should look like postgresql://" in message
    assert "secret" not in message
