"""A shard: a fixed group of devices that is decided together, and its keyed state."""
