"""Records bent at random, always the same for a seed: what no sender means to send, and some do."""

import random
from collections.abc import Iterator, Sequence

_FRAGMENTS: tuple[bytes, ...] = (
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b":",
        b",",
        b"\\",
        b"\n",
        b"\x00",
        b"\xff",
        b"\xb0",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
    ),
    *(
        b"null",
        b"true",
        b"NaN",
        b"-Infinity",
        b"-1e25",
        b"1e400",
        b"1e-400",
        b"1E+9999999999999999999",
        b"0x1F",
        b"-0",
        b"01",
    ),
    *(b"9" * 40, b"9" * 5000, b"-9223372036854775808", b"18446744073709551616", b"0.1", b"1767225600", b"1.5e9"),
    *(b'"device_id":', b'"device-id":', b'"sensor_id":', b'"ts":', b'"time":', b'"timestamp":', b'"event_type":'),
    *(b'"payload":{', b'"location":{', b'"value":', b'"unit":', b'"name":', b'"temperature_c":', b'"d1"', b'""', b"{}"),
    *(b"\\u0000", b"\\ud800", b"\\ud83d\\ude00", b"\\u005f", b'"2026-01-01T00:00:00Z"', b'"2026-01-01T10:00.5"'),
    *(b"[" * 70, b'{"x":' * 70, b"]" * 70, "°℃ü".encode(), b'"custom"', b'"LOCATION"', b"\x80", b"\x01", b"\x7f"),
)


def mutations(seeds: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """`count` values made of `seeds`: bytes replaced, taken out, doubled or swapped, fragments put in, two joined."""
    chance = random.Random(seed)
    for _ in range(count):
        value = chance.choice(seeds)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
            value = _mutated(value, seeds, chance)
        yield value


def _mutated(value: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    start, stop = sorted((chance.randint(0, len(value)), chance.randint(0, len(value))))
    match chance.randrange(8):
        case 0:
            return value[:start] + bytes((chance.randrange(256),)) + value[start + 1 :]
        case 1:
            return value[:start] + value[min(stop, start + chance.randint(1, 12)) :]
        case 2:
            return value[:stop] + value[start:stop] + value[stop:]
        case 3:
            return value[:start] + value[start:stop][::-1] + value[stop:]
        case 4:
            return value[:start] + chance.choice(seeds)[start:]
        case 5:
            return value[:stop]
        case _:
            return value[:start] + chance.choice(_FRAGMENTS) + value[start + chance.choice((0, 0, 1, 4)) :]
