"""Benchmarks: the same work by this project, by the naive way, by Java, and by other Python stream processors."""
