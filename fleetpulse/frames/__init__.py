"""Frames: the few, large things that cross between Flink and Python, and the rows in them."""
