"""The same records make the same streams, in Parquet as in JSON lines."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetpulse.backtest.sources import history as histories
from fleetpulse.backtest.sources import lines, parquet
from fleetpulse.backtest.sources.history import Stream
from fleetpulse.errors import ConfigurationError
from fleetpulse.frames.frame import Original
from tests.unit.fleetpulse.backtest.histories import TOPIC, partition_of, write_lines
from tests.unit.fleetpulse.backtest.histories import streams as streams_of
from tests.unit.fleetpulse.shard.test_monitoring_shard import T0, history

RECORDS = history(6)
FROM_MS = T0 + 60_000


def rows(streams: list[Stream]) -> dict[tuple[str, int], list[tuple]]:
    return {
        (s.topic, s.partition): [row for chunk in s.chunks for row in zip(*chunk, strict=True)]
        for s in sorted(streams, key=lambda s: s.partition)
    }


def expected(from_ms: int = 0) -> dict[tuple[str, int], list[tuple]]:
    later = [r for r in RECORDS if r.kafka_time_ms >= from_ms]
    return {
        place: [(offset, time_ms, json.loads(value)) for offset, time_ms, value in found]
        for place, found in rows(streams_of(later, 3)).items()
    }


def parsed(found: dict[tuple[str, int], list[tuple]]) -> dict[tuple[str, int], list[tuple]]:
    return {place: [(o, t, json.loads(value)) for o, t, value in records] for place, records in found.items()}


def write_parquet(folder: Path, records: list[Original], int96: bool) -> None:
    """As a cold-storage job does: folders by hour, in each a file of each of two writers, with several partitions."""
    for minute in range(3):
        for writer in range(2):
            mine = [
                r for r in records if (r.kafka_time_ms - T0) // 60_000 == minute and partition_of(r, 3) % 2 == writer
            ]
            hour = folder / "dt=2026-01-01" / f"hour={minute:02d}"
            hour.mkdir(parents=True, exist_ok=True)
            table = pa.table(
                {
                    "offset": [r.offset for r in mine],
                    "value": [r.value for r in mine],
                    "topic": [TOPIC] * len(mine),
                    "partition": pa.array([partition_of(r, 3) for r in mine], pa.int32()),
                    "kafka_time": [datetime.fromtimestamp(r.kafka_time_ms / 1000, UTC) for r in mine],
                }
            )
            pq.write_table(table, hour / f"part-{minute}-{writer}", use_deprecated_int96_timestamps=int96)
    (folder / "dt=2026-01-01" / "_SUCCESS").touch()
    (folder / "dt=2026-01-01" / ".part-9.inprogress").write_bytes(b"half a file")


@pytest.mark.parametrize("int96", [False, True])
def test_parquet_files_are_read_partition_by_partition_in_the_order_of_offsets(tmp_path, int96, monkeypatch):
    monkeypatch.setattr(histories, "CHUNK", 1)
    write_parquet(tmp_path, RECORDS, int96)
    assert parsed(rows(parquet.streams(tmp_path, None))) == expected()
    assert parsed(rows(parquet.streams(tmp_path, FROM_MS))) == expected(FROM_MS)


def test_what_is_no_parquet_of_records_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="holds no files"):
        parquet.streams(tmp_path, None)
    pq.write_table(pa.table({"value": [b"{}"]}), tmp_path / "other.parquet")
    with pytest.raises(ConfigurationError, match=r"other.parquet has no columns value, topic, partition, offset"):
        parquet.streams(tmp_path, None)


@pytest.mark.parametrize("content", [b"", b"text", b"PAR1", b"PAR1" + b"\0" * 40 + b"PAR1"])
def test_a_file_that_is_not_parquet_is_refused_in_plain_words(tmp_path, content):
    (tmp_path / "other.parquet").write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        parquet.streams(tmp_path, None)
    assert str(refused.value) == f"--parquet: {tmp_path / 'other.parquet'} is not a Parquet file"


def test_lines_in_envelopes_say_where_kafka_had_them(tmp_path):
    file = write_lines(tmp_path / "history.jsonl", RECORDS)
    assert parsed(rows(lines.streams(file, None, print))) == expected()
    assert parsed(rows(lines.streams(file, FROM_MS, print))) == expected(FROM_MS)


def test_bare_lines_came_when_they_say_or_with_the_line_before(tmp_path):
    file = tmp_path / "bare.jsonl"
    texts = [b'{"device_id":"d","ts":%d}' % T0, b"rubbish", b'{"device_id":"d"}', b'{"sensor_id":"s","value":7}']
    file.write_bytes(b"\n".join([*texts, b"", b'{"device_id":"d","ts":%d}' % (T0 + 5)]))
    [stream] = lines.streams(file, None, print)
    found = [row for chunk in stream.chunks for row in zip(*chunk, strict=True)]
    assert found == [
        *((n, T0, text) for n, text in enumerate(texts)),
        (5, T0 + 5, b'{"device_id":"d","ts":%d}' % (T0 + 5)),
    ]


def test_a_value_may_be_text_whatever_it_holds(tmp_path):
    file = tmp_path / "texts.jsonl"
    file.write_text(json.dumps({"value": '{"broken"', "kafka_time": T0}))
    [stream] = lines.streams(file, None, print)
    assert [*stream.chunks] == [([0], [T0], [b'{"broken"'])]


def read_lines(folder: Path, *texts: str | bytes) -> tuple[list[tuple], list[str]]:
    """The records of a file, and what was noted about its lines."""
    file = folder / "history.jsonl"
    file.write_bytes(b"\n".join(text.encode() if isinstance(text, str) else text for text in texts))
    notes: list[str] = []
    return [row for stream in lines.streams(file, None, notes.append) for row in flat(stream)], notes


def flat(stream: Stream) -> list[tuple]:
    return [(stream.topic, stream.partition, *row) for chunk in stream.chunks for row in zip(*chunk, strict=True)]


@pytest.mark.parametrize(
    "kafka_time",
    [T0, float(T0), T0 // 1000, f'"{T0}"', f'"{T0 // 1000}"', '"2026-01-01T00:00:00Z"', f"{T0}.0", T0 * 1000],
)
def test_the_kafka_time_of_an_envelope_has_any_form_that_a_time_may_have(tmp_path, kafka_time):
    assert T0 == 1_767_225_600_000
    found, _ = read_lines(tmp_path, f'{{"kafka_time": {kafka_time}, "value": {{"device_id": "d"}}}}')
    assert found == [("lines", 0, 0, T0, b'{"device_id": "d"}')]


KCAT = {"topic": "t", "partition": 2, "offset": 7, "tstype": "create", "ts": T0, "key": "d", "payload": "{}"}


@pytest.mark.parametrize(
    ("payload", "value"), [("{}", b"{}"), ("rubbish", b"rubbish"), (None, None), ("", b""), ({"a": 1}, b'{"a": 1}')]
)
def test_lines_of_kcat_are_read(tmp_path, payload, value):
    found, _ = read_lines(tmp_path, json.dumps(KCAT | {"payload": payload}))
    assert found == [("t", 2, 7, T0, value)]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"kafka_time": "soon", "value": {}}', "kafka_time: 'soon' is neither"),
        ('{"kafka_time": null, "value": {}}', "kafka_time: 'null' is neither"),
        ('{"kafka_time": true, "value": {}}', "kafka_time: 'true' is neither"),
        ('{"kafka_time": -1, "value": {}}', "kafka_time: '-1' is neither"),
        ('{"kafka_time": 0, "value": {}}', "kafka_time: '0' is neither"),
        ('{"kafka_time": 1e400, "value": {}}', "kafka_time: '1e400' is neither"),
        ('{"kafka_time": [1], "value": {}}', "kafka_time"),
        (f'{{"kafka_time": {T0}}}', "value: missing"),
        (f'{{"kafka_time": {T0}, "value": {{}}, "partition": -1}}', "expected 0 or more"),
        (f'{{"kafka_time": {T0}, "value": {{}}, "offset": "x"}}', "offset: '\"x\"' is no int"),
        (f'{{"kafka_time": {T0}, "value": {{}}, "topic": 5}}', "topic: '5' is no str"),
        (f'{{"kafka_time": {T0}, "value": {{}}', "cannot be read"),
        (json.dumps({**KCAT, "ts": -1}), "ts: '-1' is neither"),
        (json.dumps({k: v for k, v in KCAT.items() if k != "ts"}), "ts: missing"),
        (json.dumps(KCAT)[:-3], "cannot be read"),
    ],
)
def test_an_envelope_that_cannot_be_read_is_refused_with_its_line_and_reason(tmp_path, line, why):
    with pytest.raises(ConfigurationError) as refused:
        read_lines(tmp_path, '{"device_id": "d"}', "", line)
    assert f"{tmp_path / 'history.jsonl'}:3: " in str(refused.value)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


ENVELOPE = {"topic": "t", "partition": 2, "offset": 7, "kafka_time": T0, "value": {"device_id": "d"}, "key": "k"}
NOT_UTF_8 = (b'"\xff"', b"\xff", b'{"a": "\xff"}', b'"2026-01-01T00:00:00Z\xff"')


def lines_not_utf_8(fields: str) -> list[bytes]:
    """An envelope and a line of kcat with bytes that are not UTF-8 in each of some fields."""
    whole = [(dict(line), field) for line in (ENVELOPE, KCAT) for field in line if field in fields.split()]
    texts = [json.dumps(line | {field: "HERE"}).encode() for line, field in whole]
    return [text.replace(b'"HERE"', bad) for text in texts for bad in NOT_UTF_8]


@pytest.mark.parametrize(
    "line",
    [
        *lines_not_utf_8("topic partition offset kafka_time ts"),
        *(line for line in lines_not_utf_8("value payload") if b'{"a"' not in line),
        json.dumps(KCAT).encode().replace(b"{", b'{"\xff": 1, ', 1),
    ],
)
def test_bytes_that_are_not_utf_8_in_an_envelope_are_refused_in_one_line(tmp_path, line):
    with pytest.raises(ConfigurationError) as refused:
        read_lines(tmp_path, "{}", line)
    assert f"{tmp_path / 'history.jsonl'}:2: " in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("line", [line for line in lines_not_utf_8("value payload") if b'{"a"' in line])
def test_an_object_in_an_envelope_is_the_record_whatever_its_bytes(tmp_path, line):
    found, _ = read_lines(tmp_path, "{}", line)
    assert found[1] == ("t", 2, 7, T0, b'{"a": "\xff"}')


@pytest.mark.parametrize(
    "line",
    [
        b'{"sensor_id": "s", "value": 7}',
        b"rubbish",
        b"[1]",
        b'{"payload": "x"}',
        b'"text"',
        b"\xff\xfe",
        b'{"value": 1',
    ],
)
def test_what_is_no_envelope_is_the_record_itself(tmp_path, line):
    found, _ = read_lines(tmp_path, b'{"device_id":"d","ts":%d}' % T0, line)
    assert found[1] == ("lines", 0, 1, T0, line)


def bare(*seconds: float) -> list[str]:
    return [f'{{"device_id": "d{n % 3}", "ts": {T0 + round(at * 1000)}}}' for n, at in enumerate(seconds)]


YEARS_S = 10 * 365 * 86_400


@pytest.mark.parametrize(
    ("seconds", "ahead"),
    [
        pytest.param([*range(40), YEARS_S, *range(40, 80)], [41], id="one in the middle"),
        pytest.param([YEARS_S, *range(40)], [1], id="the first"),
        pytest.param([*range(40), YEARS_S], [41], id="the last"),
        pytest.param([*range(40), YEARS_S, YEARS_S + 5, *range(40, 80)], [41, 42], id="two in a row"),
        pytest.param([at + YEARS_S * (at % 4 == 3) for at in range(80)], [*range(4, 81, 4)], id="one clock of four"),
        pytest.param([*range(40)], [], id="none"),
        pytest.param([0], [], id="a single line"),
        pytest.param([at * 2 * 86_400 for at in range(30)], [], id="a line in two days"),
        pytest.param([*range(40), *range(30 * 86_400, 30 * 86_400 + 40)], [], id="a month without lines"),
        pytest.param([7200, *range(30), 7260, *range(30, 60), 7320], [], id="batches two hours behind"),
        pytest.param([*range(30 * 86_400, 30 * 86_400 + 40), *range(5)], [], id="old lines at the end"),
    ],
)
def test_bare_lines_far_ahead_of_their_neighbours_are_noted_and_move_no_time(tmp_path, seconds, ahead):
    found, notes = read_lines(tmp_path, *bare(*seconds))
    said = [int(number) for note in notes for number in re.findall(r"line (\d+) ", note)]
    assert said == ahead[:5]
    assert bool(notes) == bool(ahead)
    others = [row[3] for number, row in enumerate(found, 1) if number not in ahead]
    assert others == [T0 + at * 1000 for number, at in enumerate(seconds, 1) if number not in ahead]
    if ahead:
        assert max(row[3] for row in found) == max(others)


def test_a_line_without_a_time_at_the_beginning_came_with_the_first_that_has_one(tmp_path):
    found, _ = read_lines(tmp_path, '{"device_id": "d"}', "rubbish", *bare(0, 1))
    assert [row[3] for row in found] == [T0, T0, T0, T0 + 1000]


FIELDS = st.sampled_from(["value", "kafka_time", "topic", "partition", "offset", "payload", "ts", "tstype", "key"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2)
ENVELOPES = st.dictionaries(FIELDS, VALUES | st.just(T0)).map(lambda fields: json.dumps(fields).encode())


@given(st.binary(max_size=60) | ENVELOPES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_line_is_read_or_refused_in_one_line(tmp_path, line):
    said = "history.jsonl:1: nothing"
    try:
        read_lines(tmp_path, line)
    except ConfigurationError as refused:
        said = str(refused)
    assert "history.jsonl:" in said
    assert "\n" not in said
