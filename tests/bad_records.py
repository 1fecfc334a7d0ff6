"""Broken and unusual values, each with what must become of it: a reason, or None where it is accepted."""

from fleetpulse.records.reasons import Reason

KAFKA_TIME_MS = 1_767_225_600_000
_T = KAFKA_TIME_MS


def _telemetry(**fields: str) -> bytes:
    """A telemetry record from raw JSON texts."""
    raw = {"device_id": '"d1"', "ts": str(_T), **fields}
    return ("{" + ",".join(f'"{name}":{text}' for name, text in raw.items()) + "}").encode()


def _sensor(**fields: str) -> bytes:
    """A factory sensor's record from raw JSON texts."""
    place = '{"factory_section":"hall-1","machine_id":"press-2","zone":"a"}'
    raw = {"sensor_id": '"d1"', "timestamp": '"2026-01-01T00:00:00.000000"', "sensor_type": '"temperature"'}
    raw |= {"value": "25.5", "unit": '"°C"', "location": place, **fields}
    return ("{" + ",".join(f'"{name}":{text}' for name, text in raw.items()) + "}").encode()


def _typed(event_type: str, payload: str) -> bytes:
    """A typed event."""
    return f'{{"device_id":"d1","event_type":"{event_type}","payload":{payload},"ts":{_T}}}'.encode()


ALMOST_JSON: dict[str, bytes] = {
    "truncated object": b'{"device_id":"d1","ts":17672',
    "invalid UTF-8 in an unknown field": b'{"device_id":"d1","x":"\xc3\x28"}',
    "BOM": b'\xef\xbb\xbf{"device_id":"d1"}',
    "trailing comma": b'{"device_id":"d1",}',
    "NaN": _telemetry(temperature_c="NaN"),
    "Infinity": _telemetry(temperature_c="-Infinity"),
    "leading zero": _telemetry(temperature_c="01"),
    "no digit after the point": _telemetry(temperature_c="1."),
    "raw newline in an unknown string": b'{"device_id":"d1","x":"a\nb"}',
    "raw NUL in a string": b'{"device_id":"d1","x":"a\x00b"}',
    "raw record separator": b'{"device_id":"d1","x":"a\x1eb"}',
    "deep nesting": b'{"device_id":"d1","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nesting of 65": b'{"device_id":"d1","x":' + b"[" * 64 + b"]" * 64 + b"}",
    "nesting of 66, mixed": b'{"device_id":"d1","x":' + b'[{"y":' * 32 + b"[]" + b"}]" * 32 + b"}",
    "many brackets that do not match": b'{"device_id":"d1","x":[' + b"[}," * 100 + b"{}]}",
    "nan, twice": _telemetry(temperature_c="nan", humidity="nan"),
    "Latin-1 in a unit": _sensor(unit='"#C"').replace(b"#", b"\xb0"),
    "a NUL at its end": _telemetry() + b"\x00",
    "objects before its id": b'{"a":{"b":[1,"]"]},"c":[],"sensor_id" : "d1" , "value":NaN}',
}
"""Not quite JSON, but it is plain that d1 sent it."""

CASES: dict[str, tuple[bytes | None, Reason | None]] = {
    "tombstone": (None, Reason.EMPTY),
    "empty value": (b"", Reason.EMPTY),
    "5 MB": (b'{"device_id":"d1","x":"' + b"y" * 5_000_000 + b'"}', Reason.TOO_LARGE),
    "one byte over 1 MiB": (b" " * (1 << 20) + b"1", Reason.TOO_LARGE),
    "exactly 1 MiB": (b'{"device_id":"d1"}' + b" " * ((1 << 20) - 18), None),
    "blanks only": (b"   ", Reason.MALFORMED),
    "truncated string": (b'{"device_id":"d', Reason.MALFORMED),
    "truncated escape": (b'{"device_id":"d\\u00"}', Reason.MALFORMED),
    "text": (b"hello", Reason.MALFORMED),
    "binary": (bytes(range(256)), Reason.MALFORMED),
    "zeros": (b"\x00" * 20, Reason.MALFORMED),
    "invalid UTF-8 in the id": (b'{"device_id":"d\xff"}', Reason.MALFORMED),
    "UTF-16": ('{"device_id":"d1"}'.encode("utf-16"), Reason.MALFORMED),
    "two documents": (b'{"device_id":"d1"}{"device_id":"d2"}', Reason.MALFORMED),
    "two lines": (b'{"device_id":"d1"}\n{"device_id":"d2"}', Reason.MALFORMED),
    "single quotes": (b"{'device_id':'d1'}", Reason.MALFORMED),
    "comment": (b'{"device_id":"d1"/*x*/}', Reason.MALFORMED),
    "raw newline in a string": (b'{"device_id":"d\n1"}', Reason.MALFORMED),
    "a thousand brackets": (b"[" * 100_000, Reason.MALFORMED),
    **{
        f"time {number}": (_telemetry(ts=number), Reason.BAD_TIME)
        for number in ("-1e25", "-1e28", "-1e999999", "-9999999999999999999999999999999", "-0.0001", "1e-400")
    },
    **{
        f"event's time {number}": (b'{"device-id":"d1","time":' + number.encode() + b"}", Reason.BAD_TIME)
        for number in ("-1e25", "-123456789012345678901234567890")
    },
    "sensor's time -1e25": (_sensor(timestamp="-1e25"), Reason.BAD_TIME),
    "typed event's time -1e25": (
        b'{"device_id":"d1","event_type":"battery","payload":{"value":1},"ts":-1e25}',
        Reason.BAD_TIME,
    ),
    "nesting of 64": (b'{"device_id":"d1","x":' + b"[" * 63 + b"]" * 63 + b"}", None),
    "nesting of 64, mixed": (b'{"device_id":"d1","x":' + b'[{"y":' * 31 + b"[]" + b"}]" * 31 + b"}", None),
    "many brackets, not deep": (b'{"device_id":"d1","x":[' + b"[[]]," * 100 + b"{}]}", None),
    "many brackets in a string": (b'{"device_id":"d1","x":"' + b"[{" * 100 + b'\\"["}', None),
    "array": (b'[{"device_id":"d1"}]', Reason.NOT_AN_OBJECT),
    "number": (b"42", Reason.NOT_AN_OBJECT),
    "string": (b'"d1"', Reason.NOT_AN_OBJECT),
    "null": (b"null", Reason.NOT_AN_OBJECT),
    "true": (b"true", Reason.NOT_AN_OBJECT),
    "empty object": (b"{}", Reason.UNKNOWN_SCHEMA),
    "no id": (b'{"ts":1767225600000,"temperature_c":1}', Reason.UNKNOWN_SCHEMA),
    "id in another case": (b'{"Device_ID":"d1"}', Reason.UNKNOWN_SCHEMA),
    "id null": (_telemetry(device_id="null"), Reason.BAD_DEVICE_ID),
    "id empty": (_telemetry(device_id='""'), Reason.BAD_DEVICE_ID),
    "id a number": (_telemetry(device_id="7"), Reason.BAD_DEVICE_ID),
    "id true": (_telemetry(device_id="true"), Reason.BAD_DEVICE_ID),
    "id a list": (_telemetry(device_id='["d1"]'), Reason.BAD_DEVICE_ID),
    "id of 10 kB": (_telemetry(device_id='"' + "d" * 10_000 + '"'), Reason.BAD_DEVICE_ID),
    "id of 129": (_telemetry(device_id='"' + "d" * 129 + '"'), Reason.BAD_DEVICE_ID),
    "id of 128": (_telemetry(device_id='"' + "d" * 128 + '"'), None),
    "id of 128 wide characters": (_telemetry(device_id='"' + "ü" * 128 + '"'), None),
    "id with an escaped NUL": (_telemetry(device_id='"d\\u0000"'), Reason.BAD_DEVICE_ID),
    "id with an escaped newline": (_telemetry(device_id='"d\\n"'), Reason.BAD_DEVICE_ID),
    "id with DEL": (_telemetry(device_id='"d\x7f"'), Reason.BAD_DEVICE_ID),
    "id with a C1 control": (_telemetry(device_id='"d\u0085"'), Reason.BAD_DEVICE_ID),
    "id with a lone surrogate": (_telemetry(device_id='"d\\ud800"'), Reason.BAD_DEVICE_ID),
    "id with a pair of surrogates": (_telemetry(device_id='"d\\ud83d\\ude00"'), None),
    "id of blanks": (_telemetry(device_id='" "'), None),
    "id twice": (b'{"device_id":"d1","device_id":"d2"}', Reason.AMBIGUOUS_IDENTITY),
    "id twice, once escaped": (b'{"device_id":"d1","device\\u005fid":"d2"}', Reason.AMBIGUOUS_IDENTITY),
    "id in both dialects": (b'{"device_id":"d1","device-id":"d1"}', None),
    "ids that differ": (b'{"device_id":"d1","device-id":"d2"}', Reason.AMBIGUOUS_IDENTITY),
    "ids that differ by type": (b'{"device_id":"7","device-id":7}', Reason.AMBIGUOUS_IDENTITY),
    "ids that are the same number": (b'{"device_id":7,"device-id":7}', Reason.AMBIGUOUS_IDENTITY),
    "ids of all dialects": (b'{"device_id":"d1","device-id":"d1","sensor_id":"d1"}', None),
    "ids that agree and are none": (b'{"device_id":"","device-id":""}', Reason.BAD_DEVICE_ID),
    "an id and a null one": (b'{"device_id":"d1","device-id":null}', None),
    "id twice, then null": (b'{"device_id":"d1","device_id":null}', Reason.AMBIGUOUS_IDENTITY),
    "id twice, first null": (b'{"device_id":null,"device_id":"d1"}', Reason.AMBIGUOUS_IDENTITY),
    "another id twice, then null": (b'{"device_id":"d1","sensor_id":"s","sensor_id":null}', Reason.AMBIGUOUS_IDENTITY),
    "both ids, one time": (
        b'{"version":"1","timestamp":"2026-01-01T00:00:00Z","device_id":"d1","sensor_id":"d1","temperature_c":21}',
        None,
    ),
    "both ids, the time of the other": (b'{"device_id":"d1","sensor_id":"d1","ts":"soon"}', Reason.BAD_TIME),
    "time twice": (b'{"device_id":"d1","ts":1767225600000,"ts":1767225600000}', Reason.BAD_TIME),
    "time twice, differently": (b'{"device_id":"d1","ts":1,"ts":2}', Reason.BAD_TIME),
    "time twice, once escaped": (b'{"device_id":"d1","ts":1767225600000,"t\\u0073":1767225600001}', Reason.BAD_TIME),
    "time twice, then null": (b'{"device_id":"d1","ts":1767225600000,"ts":null}', Reason.BAD_TIME),
    "time twice, first null": (b'{"device_id":"d1","ts":null,"ts":1767225600000}', Reason.BAD_TIME),
    "time null twice": (b'{"device_id":"d1","ts":null,"ts":null}', Reason.BAD_TIME),
    "event's time twice": (b'{"device-id":"d1","time":1767225600,"time":1767225601}', Reason.BAD_TIME),
    "sensor's time twice": (b'{"sensor_id":"d1","timestamp":1767225600,"timestamp":1767225601}', Reason.BAD_TIME),
    "typed event's time twice": (b'{"device_id":"d1","event_type":"battery","ts":1,"ts":2}', Reason.BAD_TIME),
    "time twice, of a bad id": (b'{"device_id":"","ts":1767225600000,"ts":1767225600000}', Reason.BAD_DEVICE_ID),
    "time and id twice": (b'{"device_id":"d1","device_id":"d1","ts":1,"ts":2}', Reason.AMBIGUOUS_IDENTITY),
    "time twice, but nested": (b'{"device_id":"d1","ts":1767225600000,"x":{"ts":1}}', None),
    "time of another dialect twice": (b'{"device_id":"d1","time":1,"time":2}', None),
    "id twice, but nested": (b'{"device_id":"d1","x":{"device_id":"d2","ts":1}}', None),
    "time zero": (_telemetry(ts="0"), Reason.BAD_TIME),
    "time negative": (_telemetry(ts="-5"), Reason.BAD_TIME),
    "time true": (_telemetry(ts="true"), Reason.BAD_TIME),
    "time a list": (_telemetry(ts="[1]"), Reason.BAD_TIME),
    "time in words": (_telemetry(ts='"yesterday"'), Reason.BAD_TIME),
    "time a number in quotes": (_telemetry(ts='"1767225600"'), Reason.BAD_TIME),
    "time 1e400": (_telemetry(ts="1e400"), Reason.BAD_TIME),
    "time beyond all exponents": (_telemetry(ts="1e9999999999999999999"), Reason.BAD_TIME),
    "time below all exponents": (_telemetry(ts="1e-9999999999999999999"), Reason.BAD_TIME),
    "time with more digits than a float": (_telemetry(ts=f"{_T // 1000 + 60}." + "0" * 30 + "1"), None),
    "time just beyond the skew, in more digits": (
        _telemetry(ts=f"{_T // 1000 + 60}.001" + "0" * 30),
        Reason.FUTURE_TIMESTAMP,
    ),
    "time of a thousand digits": (_telemetry(ts="9" * 1000), Reason.BAD_TIME),
    "time of ten thousand digits": (_telemetry(ts="9" * 10_000), Reason.BAD_TIME),
    **{
        f"ISO {text}": (_telemetry(ts=f'"{text}"'), reason)
        for text, reason in {
            "2025-12-31T23:00.5": Reason.BAD_TIME,
            "2025-12-31T23:00:003": Reason.BAD_TIME,
            "2025-12-31T23:00+05:70": Reason.BAD_TIME,
            "20251231T23000Z": Reason.BAD_TIME,
            "2025-W52-3T23:00:00Z": Reason.BAD_TIME,
            "2025-12-31T23Z": Reason.BAD_TIME,
            "20251231T230000Z": None,
            "2025-12-31T23:00:00,5Z": None,
            "2025-12-31 23:00+01": None,
        }.items()
    },
    "nanoseconds at the end of a millisecond": (_telemetry(ts="1767225599999999999"), None),
    "a time whose milliseconds wrap": (_telemetry(ts="-9223372036854775807"), Reason.BAD_TIME),
    "leap second": (_telemetry(ts='"2016-12-31T23:59:60Z"'), Reason.BAD_TIME),
    "before 1970": (_telemetry(ts='"1969-12-31T23:59:59Z"'), Reason.BAD_TIME),
    "year 1970": (_telemetry(ts="86400"), None),
    "time null": (_telemetry(ts="null"), None),
    "no time": (b'{"device_id":"d1"}', None),
    "seconds": (_telemetry(ts=str(_T // 1000)), None),
    "fractional seconds": (_telemetry(ts=f"{_T // 1000}.25"), None),
    "microseconds": (_telemetry(ts=str(_T * 1000)), None),
    "nanoseconds": (_telemetry(ts=str(_T * 1_000_000)), None),
    "ISO": (_telemetry(ts='"2026-01-01T00:00:00Z"'), None),
    "ISO with offset": (_telemetry(ts='"2026-01-01T05:30:00+05:30"'), None),
    "at the skew": (_telemetry(ts=str(_T + 60_000)), None),
    "beyond the skew": (_telemetry(ts=str(_T + 60_001)), Reason.FUTURE_TIMESTAMP),
    "year 9999": (_telemetry(ts='"9999-12-31T23:59:59Z"'), Reason.FUTURE_TIMESTAMP),
    "time of 25 digits": (_telemetry(ts="9" * 25), Reason.FUTURE_TIMESTAMP),
    "metric in quotes": (_telemetry(temperature_c='"21.5"'), Reason.WRONG_TYPE),
    "metric true": (_telemetry(humidity="true"), Reason.WRONG_TYPE),
    "metric a list": (_telemetry(lat="[1]"), Reason.WRONG_TYPE),
    "metric an object": (_telemetry(lon='{"deg":1}'), Reason.WRONG_TYPE),
    "metric 1e400": (_telemetry(temperature_c="1e400"), Reason.WRONG_TYPE),
    "metric beyond all exponents": (_telemetry(lat="-1e9999999999999999999"), Reason.WRONG_TYPE),
    "metric of a million zeros": (_telemetry(lat="1e1000000", humidity="-1e1000000"), Reason.WRONG_TYPE),
    "metric that rounds to the largest float": (_telemetry(lat="1.7976931348623158e308"), None),
    "metric below all exponents": (_telemetry(lat="1e-9999999999999999999"), None),
    "unknown numbers beyond all exponents": (
        b'{"device_id":"\xc3\xbc","x":[1e9999999999999999999,0e9999999999999999999]}',
        None,
    ),
    "metric null": (_telemetry(temperature_c="null"), None),
    "metric a huge integer": (_telemetry(temperature_c="1" + "0" * 30), None),
    "metric implausible": (_telemetry(temperature_c="-40000.5"), None),
    "unknown fields": (_telemetry(x='{"y":[1e400,"\\u0000"]}'), None),
    "event": (b'{"event-id":"e1","device-id":"d1","time":1767225600}', None),
    "event with a metric of another kind": (b'{"device-id":"d1","time":1767225600,"humidity":"damp"}', None),
    "event without id": (b'{"event-id":"e1","time":1767225600}', Reason.UNKNOWN_SCHEMA),
    "event with bad time": (b'{"event-id":"e1","device-id":"d1","time":"soon"}', Reason.BAD_TIME),
    "a line break at its end": (_telemetry() + b"\n", None),
    "several lines": (b'{\n  "device_id": "d1",\n  "ts": 1767225600000\n}\n', None),
    "blanks around": (b' \r\n\t{"device_id" : "d1" , "ts" : 1767225600000 } \n', None),
    "sensor": (_sensor(), None),
    "sensor without a type and a value": (b'{"sensor_id":"d1"}', None),
    "sensor without a type": (b'{"sensor_id":"d1","value":1}', Reason.WRONG_TYPE),
    "sensor of another type": (_sensor(sensor_type='"co2"', unit='"ppm"'), None),
    "sensor with a type that is no name": (_sensor(sensor_type='"c o 2"'), Reason.WRONG_TYPE),
    "sensor in Fahrenheit": (_sensor(unit='"°F"'), None),
    "sensor in an unknown unit": (_sensor(unit='"bananas"'), Reason.UNKNOWN_UNIT),
    "sensor whose value is too large while it is converted": (_sensor(unit='"°F"', value="1e308"), None),
    "sensor in milliwatts": (_sensor(sensor_type='"energy"', value="500", unit='"mW"'), None),
    "sensor in milliwatts or megawatts": (_sensor(sensor_type='"energy"', unit='"mw"'), Reason.UNKNOWN_UNIT),
    "sensor at 122 °F": (_sensor(value="122", unit='"°F"'), None),
    **{
        f"sensor in {unit}": (_sensor(unit=f'"{unit}"'), None) for unit in ("℃", "ºC", "⁰C", "° C", "Cel", "℉", "", " ")
    },
    "sensor of a type in another case": (_sensor(sensor_type='"Temperature"', unit='"°F"'), None),
    "sensor with a metric beside": (_sensor(battery="81", humidity='"damp"'), None),
    "sensor with its type as a name": (b'{"sensor_id":"d1","sensor_type":"energy","energy":4,"unit":"KW"}', None),
    "sensor with a unit that is a number": (_sensor(unit="1"), Reason.WRONG_TYPE),
    "sensor with a value in quotes": (_sensor(value='"25"'), Reason.WRONG_TYPE),
    "sensor whose value is too large once converted": (
        _sensor(sensor_type='"energy"', unit='"MW"', value="1e308"),
        Reason.WRONG_TYPE,
    ),
    "sensor with a bad time": (_sensor(timestamp='"noon"'), Reason.BAD_TIME),
    "sensor in a place that is a number": (_sensor(location='{"zone":7}'), Reason.WRONG_TYPE),
    "sensor in a place that is a text": (_sensor(location='"hall 1"'), Reason.WRONG_TYPE),
    "sensor in an empty place": (_sensor(location='{"factory_section":"","zone":null}'), None),
    "sensor and device": (b'{"sensor_id":"d1","device_id":"d1"}', None),
    "typed event": (_typed("battery", '{"value":80,"unit":"%"}'), None),
    "typed event of a location": (_typed("location", '{"lat":48.1,"lon":11.6}'), None),
    "typed event of its own": (_typed("custom", '{"name":"co2","value":400,"unit":"ppm"}'), None),
    "typed event without a payload": (_typed("battery", "null"), None),
    "typed event with a payload that is a number": (_typed("battery", "80"), Reason.WRONG_TYPE),
    "typed event with a value in quotes": (_typed("battery", '{"value":"full"}'), Reason.WRONG_TYPE),
    "typed event in an unknown unit": (_typed("battery", '{"value":80,"unit":"V"}'), Reason.UNKNOWN_UNIT),
    "typed event in capitals": (_typed("TEMPERATURE", '{"value":140,"unit":"°F"}'), None),
    "typed event with flat metrics": (b'{"device_id":"d1","event_type":"telemetry","temperature_c":60}', None),
    "typed event with a flat value": (b'{"device_id":"d1","event_type":"temperature","value":60,"unit":"F"}', None),
    "typed event with its type in the payload": (_typed("temperature", '{"temperature":60}'), None),
    "typed event with its type in quotes": (_typed("temperature", '{"temperature":"60"}'), Reason.WRONG_TYPE),
    "typed event of its own with a flat name": (
        b'{"device_id":"d1","event_type":"custom","name":"co2","value":400}',
        None,
    ),
    "typed event of a number": (b'{"device_id":"d1","event_type":7,"value":1}', Reason.WRONG_TYPE),
    "typed event with a telemetry field of another kind": (
        b'{"device_id":"d1","event_type":"battery","humidity":"damp"}',
        None,
    ),
}
CASES |= {name: (value, Reason.MALFORMED) for name, value in ALMOST_JSON.items()}
