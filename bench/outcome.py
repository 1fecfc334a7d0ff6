"""What a run over the story has written: two runs count as the same work only where this is the same."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from bench.topic import START_MS
from fleetpulse.times import to_epoch_ms

# A bounded job closes no window after its last watermark, which trails by what is fetched of one partition at once.
_COMPARED_UNTIL_MS = START_MS + 6 * 60_000


class _Alert(msgspec.Struct):
    rule_id: str
    state: str


class _Window(msgspec.Struct):
    window_end: str
    metric: str
    count: int
    min: float
    max: float


class Windows(NamedTuple):
    """What all windows of a metric say together."""

    windows: int
    readings: int
    lowest: float
    highest: float

    def add(self, count: int, lowest: float, highest: float) -> "Windows":
        """One more window."""
        return Windows(self.windows + 1, self.readings + count, min(self.lowest, lowest), max(self.highest, highest))


_NONE = Windows(0, 0, float("inf"), float("-inf"))


def opened(values: Iterable[bytes]) -> dict[str, int]:
    """How many alerts each rule has opened, from the values of an alerts topic."""
    decode = msgspec.json.Decoder(_Alert).decode
    return dict(Counter(alert.rule_id for alert in map(decode, values) if alert.state == "open"))


def windows(values: Iterable[bytes]) -> dict[str, Windows]:
    """What the windows of each metric say, from the values of a topic of aggregates."""
    decode = msgspec.json.Decoder(_Window).decode
    told: dict[str, Windows] = {}
    for window in map(decode, values):
        if to_epoch_ms(window.window_end) <= _COMPARED_UNTIL_MS:
            told[window.metric] = told.get(window.metric, _NONE).add(window.count, window.min, window.max)
    return told


def sql_windows(values: Iterable[bytes], metrics: Iterable[str]) -> dict[str, Windows]:
    """The same from `bench.peers.sql_windows`, whose rows hold all metrics of a device."""
    told: dict[str, Windows] = {}
    rows: Iterable[Mapping[str, float]] = map(msgspec.json.decode, values)
    for row in rows:
        if row["window_end_ms"] > _COMPARED_UNTIL_MS:
            continue
        for metric in metrics:
            if count := int(row[f"{metric}_count"]):
                lowest, highest = row[f"{metric}_min"], row[f"{metric}_max"]
                told[metric] = told.get(metric, _NONE).add(count, lowest, highest)
    return told
