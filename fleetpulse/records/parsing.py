"""JSON of records: parsed to one depth, whatever the caller's stack; and ids in almost-JSON."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal, InvalidOperation

from fleetpulse.records.dialects import IDS, is_name

MAX_DEPTH = 64
"""How deep objects and arrays may nest; 1 is an object of scalars."""

ID_NAMES = tuple(f'"{name}"'.encode() for name in IDS)
"""The names of ids, as they stand in JSON."""

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_strings = re.compile(_STRING, re.DOTALL)
_strings_and_colons = re.compile(rb"(%b)(\s*+:)?" % _STRING, re.DOTALL)
_named = re.compile(rb'(?:%b)\s*+:\s*+"([^"\\\x00-\x1f]++)"(?=\s*+[,}])' % b"|".join(ID_NAMES))
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_AS_SQUARE = bytes.maketrans(b"{}", b"[]")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class JsonObject(dict[str, object]):
    """A JSON object that remembers a repeated name."""

    __slots__ = ("names",)

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        self.names = [name for name, _ in pairs]


def parse(value: bytes) -> object:
    """Parse one JSON document in UTF-8. Objects are `JsonObject`s, numbers integers or Decimals.

    Raises:
        ValueError: it is not one, or nested deeper than `MAX_DEPTH`.
    """
    if is_too_deep(value):
        raise ValueError(f"nested deeper than {MAX_DEPTH}, or with brackets that do not match")
    text = value.decode()
    if text[0] == "\ufeff":
        raise ValueError("a byte order mark is not JSON")
    try:
        return _json.decode(text)
    except RecursionError:  # the caller's stack must not decide what is JSON
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(_json.decode, text).result()


def is_too_deep(value: bytes) -> bool:
    """Whether objects and arrays nest deeper than `MAX_DEPTH`; or there are as many, and they do not match: no JSON."""
    if value.count(b"[") + value.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _brackets_of(value).translate(_AS_SQUARE)
    for _ in range(MAX_DEPTH):
        within = len(brackets)
        brackets = brackets.replace(b"[]", b"")  # the innermost ones
        if len(brackets) == within:
            break
    return brackets != b""


def id_in(value: bytes) -> str | None:
    """The device that a value names which is almost a JSON object; None where not exactly one id can be read.

    That is: one name of an id, not within another object or a string, and a valid id beside it without escapes.
    """
    if sum(map(value.count, ID_NAMES)) != 1 or (found := _named.search(value)) is None:
        return None
    names = [text for text, colon in _strings_and_colons.findall(value) if colon]
    if sum(name in ID_NAMES for name in names) != 1 or any(b"\\" in name for name in names):
        return None
    before = value[: found.start()].removeprefix(_BYTE_ORDER_MARK).lstrip()
    if not before.startswith(b"{") or b'"' in _strings.sub(b"", before) or not _all_closed(before[1:]):
        return None
    try:
        device_id = found[1].decode()
    except UnicodeDecodeError:
        return None
    return device_id if is_name(device_id) else None


def _brackets_of(text: bytes) -> bytes:
    return _strings.sub(b"", text).translate(None, _NO_BRACKETS)


def _all_closed(text: bytes) -> bool:
    brackets = _brackets_of(text)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return not brackets


def _reject_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _parse_int(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < 40 else Decimal(digits)


def _parse_float(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # the exponent has more digits than a Decimal takes
        mantissa, _, exponent = text.lower().partition("e")
        return Decimal(0) if exponent.startswith("-") or not Decimal(mantissa) else Decimal("Infinity")


_json = json.JSONDecoder(
    object_pairs_hook=JsonObject, parse_float=_parse_float, parse_int=_parse_int, parse_constant=_reject_constant
)
