"""The Python process that Flink runs our functions in."""

import gc

_OBJECTS_BEFORE_A_LOOK = 1_000_000


def tune() -> None:
    """Look for garbage cycles seldom: each batch makes many small objects, and none that form a cycle.

    With Python's own thresholds a quarter of the worker's time goes into looking at them (docs/benchmarks.md).
    """
    gc.freeze()
    gc.set_threshold(_OBJECTS_BEFORE_A_LOOK)
