"""Derives an alert again from history: the records of its device, evaluated by the rules in force then."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from fleetpulse.alerts import Revision
from fleetpulse.backtest.run import Settings
from fleetpulse.backtest.sources.history import Chunk, Stream
from fleetpulse.backtest.sources.records import record_of
from fleetpulse.frames.frame import frame_of
from fleetpulse.frames.order import PartitionOrder
from fleetpulse.records.batch import decode_batch
from fleetpulse.records.reading import seen_times
from fleetpulse.rules.versions import Versions
from fleetpulse.times import to_epoch_ms

_LONGEST_DELAY_MS = 60_000  # how much later than its time a record is looked for, beyond the bound
_INSTANTS = ("since_ms", "latest_event_time_ms", "seen_at_ms")


class Heard(NamedTuple):
    """A record of the device: where Kafka has it, its event time, and when it says that the device was alive."""

    origin: str
    event_time_ms: int
    seen_at_ms: int


class Retold(NamedTuple):
    """The result: revisions of the alert by their numbers, and the records of the device."""

    revisions: dict[int, dict[str, Any]]
    heard: list[Heard]


def retell(
    streams: Sequence[Stream], settings: Settings, versions: Versions, device_id: str, alert_id: str, until_ms: int
) -> Retold:
    """Judge a device's records up to an instant. All are taken as if they had come in time."""
    shard = settings.shard(versions)
    heard: list[Heard] = []
    outputs = []
    last_ms = until_ms + settings.out_of_orderness_ms + _LONGEST_DELAY_MS
    for stream in streams:
        order = PartitionOrder(settings.out_of_orderness_ms)
        for chunk in stream.chunks:
            own = _of_device(chunk, device_id, settings.max_future_skew_ms)
            if own.values:
                outputs += shard.take(frame_of(own.batch(0), settings.max_future_skew_ms, order))
                heard += _heard(stream, own, settings.max_future_skew_ms)
            if min(chunk.kafka_times_ms) > last_ms:
                break
    outputs += shard.advance(until_ms)
    made = [output for output in outputs if isinstance(output, Revision) and str(output.alert_id) == alert_id]
    return Retold({revision.revision: json.loads(record_of(revision)) for revision in made}, sorted(heard, key=_time))


def differences(told: dict[str, Any], made: dict[str, Any] | None, whole: bool) -> dict[str, list[object]]:
    """What a revision tells and history does not, by field; `whole` where it was told with all its fields."""
    names = told.keys() if made is None or not whole else told.keys() | made.keys()
    other = made or {}
    return {name: [told.get(name), other.get(name)] for name in sorted(names) if told.get(name) != other.get(name)}


def deciding(told: dict[str, Any], heard: Sequence[Heard]) -> list[Heard]:
    """The records from the instants that a revision tells as its evidence."""
    evidence = told["evidence"]
    instants = {evidence[name] for name in _INSTANTS if name in evidence}
    instants |= {time_ms for time_ms, _ in evidence.get("recent", ())}
    if "since_ms" in evidence:
        instants.add(to_epoch_ms(told["changed_at"]))
        return [record for record in heard if record.event_time_ms in instants]
    return [record for record in heard if record.seen_at_ms in instants]


def _time(heard: Heard) -> int:
    return heard.seen_at_ms


def _of_device(chunk: Chunk, device_id: str, max_future_skew_ms: int) -> Chunk:
    """The records that name a device, be it in vain."""
    name = device_id.encode()
    # An escape may stand for anything, so records with one are decoded too.
    likely = chunk.only([at for at, value in enumerate(chunk.values) if value and (name in value or b"\\" in value)])
    decoded = decode_batch(likely.values, likely.kafka_times_ms, max_future_skew_ms, measured=False)
    own = [at for at, device in enumerate(decoded.devices) if device == device_id]
    own += [at for at, rejection in decoded.rejections.items() if rejection.device_id == device_id]
    return likely.only(sorted(own))


def _heard(stream: Stream, own: Chunk, max_future_skew_ms: int) -> Iterator[Heard]:
    decoded = decode_batch(own.values, own.kafka_times_ms, max_future_skew_ms, measured=False)
    alive_ms = seen_times(decoded.event_times_ms, own.kafka_times_ms)
    for at, offset in enumerate(own.offsets):
        rejection = decoded.rejections.get(at)
        seen_at_ms = rejection.seen_at_ms if rejection else alive_ms[at]
        if seen_at_ms is not None:
            origin = f"{stream.topic}:{stream.partition}:{offset}"
            yield Heard(origin, seen_at_ms if rejection else decoded.event_times_ms[at], seen_at_ms)
