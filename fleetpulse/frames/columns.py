"""Columns: sequences of equal length, one a field."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any


def picker(indices: Sequence[int]) -> Callable[[Sequence[Any]], Any]:
    """Return the function that takes the items at `indices`, in that order, from a column."""
    return itemgetter(*indices) if len(indices) > 1 else lambda column: [column[index] for index in indices]
