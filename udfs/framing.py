"""The crossing into Python: Arrow batches of records in, frames out."""

from collections.abc import Callable
from functools import partial

import pandas as pd

from fleetpulse.frames import Original, pack

_original = partial(tuple.__new__, Original)  # what `Original._make` does, without a Python frame a record


def framer(shard_keys: tuple[int, ...], max_future_skew_ms: int) -> Callable[..., pd.DataFrame]:
    """A vectorized function that packs a batch into frames, one a shard.

    It returns as many rows as it gets, as Flink asks of a scalar function: the first carry a shard's key and frame,
    the rest are null.

    Args:
        shard_keys: the Flink key of each shard.
        max_future_skew_ms: see `readings.judge`.
    """

    def to_frames(
        key: pd.Series, value: pd.Series, origin: pd.Series, offset: pd.Series, kafka_time: pd.Series
    ) -> pd.DataFrame:
        kafka_times_ms = kafka_time.astype("datetime64[ms, UTC]").astype("int64")
        columns = (origin, offset, kafka_times_ms, key, value)
        originals = list(map(_original, zip(*(column.tolist() for column in columns), strict=True)))
        frames = pack(originals, len(shard_keys), max_future_skew_ms)
        empty = [None] * (len(value) - len(frames))
        return pd.DataFrame(
            {
                "shard_key": pd.Series([*(shard_keys[shard] for shard in frames), *empty], dtype=object),
                "frame": pd.Series([*frames.values(), *empty], dtype=object),
            }
        )

    return to_frames
