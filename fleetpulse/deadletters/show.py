"""Letters as people read them."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable

from rich.table import Table

from fleetpulse.cli.tables import cell
from fleetpulse.deadletters.letter import Letter, LetterState, Verdict
from fleetpulse.printable import printable
from fleetpulse.records.reasons import SENTENCES
from fleetpulse.times import iso

_PREVIEW_CHARS = 60
_DUMP_BYTES = 256


def listing(letters: Iterable[tuple[Letter, Verdict]]) -> Table:
    """One line a letter."""
    table = Table("id", "failed at", "reason", "origin", "state", "bytes", "value", box=None)
    for letter, verdict in letters:
        size = "-" if letter.value is None else f"{len(letter.value):,}"
        table.add_row(
            *map(cell, (_id(letter), _instant(letter.failed_at_ms), letter.reason, letter.origin or "-")),
            _state(verdict),
            size,
            cell(_preview(letter.value)),
        )
    return table


def statistics(letters: Iterable[tuple[Letter, Verdict]]) -> Table:
    """One line a reason and topic: how many, in which state, when first and last."""
    found: dict[tuple[str, str], list[tuple[Letter, Verdict]]] = defaultdict(list)
    for letter, verdict in letters:
        found[letter.reason, letter.origin.topic if letter.origin else "-"].append((letter, verdict))
    table = Table("reason", "topic", "letters", *LetterState, "first", "last", box=None)
    for (reason, topic), group in sorted(found.items()):
        states = Counter(verdict.state for _, verdict in group)
        instants = [letter.failed_at_ms for letter, _ in group if letter.failed_at_ms is not None]
        ends = (_instant(min(instants, default=None)), _instant(max(instants, default=None)))
        table.add_row(
            cell(reason), cell(topic), f"{len(group):,}", *(f"{states[state]:,}" for state in LetterState), *ends
        )
    return table


def details(letter: Letter, verdict: Verdict) -> str:
    """All that is known of one letter, its value decoded as far as possible."""
    lines = [
        f"id            {_id(letter)}  ({letter.position})",
        f"reason        {letter.reason}: {SENTENCES.get(letter.reason, 'not one of ours')}",  # type: ignore[call-overload]
        f"failed at     {_instant(letter.failed_at_ms)}",
        f"read from     {letter.origin or '-'}",
        f"Kafka time    {_instant(letter.kafka_time_ms)}",
        f"state         {_state(verdict)}",
        f"key           {_text(letter.key)}",
        f"value         {_size(letter.value)}",
    ]
    if letter.value:
        lines += ["", *_decoded(letter.value), "", *_dump(letter.value)]
    return "\n".join(map(printable, lines))


def _id(letter: Letter) -> str:
    return f"{letter.position.partition}:{letter.position.offset}"


def _instant(epoch_ms: int | None) -> str:
    return "-" if epoch_ms is None else iso(epoch_ms)


def _state(verdict: Verdict) -> str:
    state: str = verdict.state
    if verdict.state is LetterState.WAITING and verdict.due_ms is not None:
        state += f" until {iso(verdict.due_ms)}"
    return f"{state} ({verdict.retries} retries)" if verdict.retries else state


def _text(content: bytes | None) -> str:
    return "-" if content is None else printable(content.decode(errors="backslashreplace"))


def _size(content: bytes | None) -> str:
    return "none (a tombstone)" if content is None else f"{len(content):,} bytes"


def _preview(value: bytes | None) -> str:
    text = _text(value if value is None else value[: 2 * _PREVIEW_CHARS])
    return text if len(text) <= _PREVIEW_CHARS else text[:_PREVIEW_CHARS] + "…"


def _decoded(value: bytes) -> list[str]:
    """The value as JSON; where that fails, up to where it could be read, and why not further."""
    try:
        text = value.decode()
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False).splitlines()
    except UnicodeDecodeError as bad:
        return [_around(value[: bad.start].decode()), f"^ byte {bad.start}: {bad.reason}, no UTF-8"]
    except json.JSONDecodeError as bad:
        return [_around(text[: bad.pos]), f"^ character {bad.pos}: {bad.msg}"]
    except (ValueError, RecursionError):
        return ["JSON with a number too long, or nested too deeply, to be shown"]


def _around(read: str) -> str:
    return printable(read if len(read) <= _DUMP_BYTES else "…" + read[-_DUMP_BYTES:])


def _dump(value: bytes) -> list[str]:
    """The first bytes, in hexadecimal and as characters."""
    rows = [value[at : at + 16] for at in range(0, min(len(value), _DUMP_BYTES), 16)]
    lines = [
        f"{16 * number:06x}  {row.hex(' '):<47}  {''.join(chr(b) if 32 <= b < 127 else '.' for b in row)}"
        for number, row in enumerate(rows)
    ]
    return lines if len(value) <= _DUMP_BYTES else [*lines, f"… {len(value) - _DUMP_BYTES:,} bytes more"]
