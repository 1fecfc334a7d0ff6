"""Shards: fixed groups of devices that are decided together."""

import zlib

MAX_PARALLELISM = 128  # Flink's key groups; fixed from the first day, since savepoints depend on it


def shard_of(device_id: str, shards: int) -> int:
    """The shard of a device, 0 to `shards` - 1; the same in every process and release."""
    return zlib.crc32(device_id.encode()) % shards
