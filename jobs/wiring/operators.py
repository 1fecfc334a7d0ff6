"""Ids of operators, by which savepoints find their state."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

UID_GENERATION = {"table.exec.uid.generation": "ALWAYS"}
_UID = re.compile(r"(?P<stream>.+)-(?P<number>\d+)-(?P<kind>.+)")


def name_operators(tables: StreamTableEnvironment, stream: str) -> None:
    """Give ids of this stream to the operators that are translated next; call it before each conversion."""
    tables.get_config().set("table.exec.uid.format", f"{stream}-<id>-<transformation>")


def number_operators_by_stream(environment: StreamExecutionEnvironment, names: Mapping[str, str]) -> None:
    """Number the operators of each stream from 0, and give them names for people, by their ids.

    Flink numbers all operators of a process in a row, so that one more anywhere gives those after it other ids, and
    their Kafka offsets are not found again. Numbered by stream, a change moves only the stream it was made in.
    """
    named = [(t, match) for t in _transformations(environment) if (match := _UID.fullmatch(t.getUid() or ""))]
    first: dict[str, int] = {}
    for _, match in named:
        number = int(match["number"])
        first[match["stream"]] = min(number, first.get(match["stream"], number))
    for transformation, match in named:
        number = int(match["number"]) - first[match["stream"]]
        uid = f"{match['stream']}-{number}-{match['kind']}"
        transformation.setUid(uid)
        transformation.setName(names[uid])


def _transformations(environment: StreamExecutionEnvironment) -> Iterator[Any]:
    seen = set()
    for last in environment._j_stream_execution_environment.getTransformations():
        for transformation in last.getTransitivePredecessors():
            if transformation.getId() not in seen:
                seen.add(transformation.getId())
                yield transformation
