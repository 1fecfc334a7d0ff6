"""Vector's configuration and programs as the files have them, and the programs run by Vector's own language."""

import base64
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from vrl_python import VRLRuntime

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "deploy" / "observability" / "vector"
FILES = ("vector.yaml", "search.yaml", "cold.yaml")

_ABORTED = re.compile(r"error\[E000\]: (.*)")
_runtime = VRLRuntime("UTC")


@cache
def configuration() -> dict[str, dict[str, Any]]:
    """All files as one, by section and component."""
    merged: dict[str, dict[str, Any]] = {}
    for file in FILES:
        for section, components in YAML(typ="safe").load(FOLDER / file).items():
            assert not merged.setdefault(section, {}).keys() & components.keys()
            merged[section] |= components
    return merged


SINKS = configuration()["sinks"]


@cache
def program(transform: str) -> str:
    """The program of a remap, put together as Vector does."""
    remap = configuration()["transforms"][transform]
    files = remap["files"] if "files" in remap else [remap["file"]]
    return "".join((FOLDER / file).read_text() + "\n" for file in files)


class Dropped(Exception):  # noqa: N818 no error: it is one of two outcomes
    """A program did not take an event, for this reason."""


def run(source: str, event: Mapping[str, object]) -> tuple[object, dict[str, Any]]:
    """Run a program: the value of its last expression, and the event it leaves.

    Raises:
        Dropped: it aborted.
    """
    try:
        result = _runtime.execute(source, dict(event))
    except RuntimeError as failed:
        aborted = _ABORTED.search(str(failed))
        if aborted is None or "aborted" not in str(failed):
            raise
        raise Dropped(aborted[1]) from failed
    return result.runtime_result, result.processed_event


def transformed(transform: str, message: bytes, topic: str = "alerts", kafka_time_ms: int = 1_767_225_600_000) -> Any:
    """What a remap makes of a Kafka record.

    Raises:
        Dropped: it did not take it.
    """
    record = {
        "message": base64.b64encode(message).decode(),
        "topic": topic,
        "partition": 0,
        "offset": 7,
        "timestamp": kafka_time_ms,
    }
    return run(
        f'.message = decode_base64!(.message)\n.timestamp = from_unix_timestamp!(.timestamp, unit: "milliseconds")\n'
        f"{program(transform)}",
        record,
    )[1]


def as_vrl(value: object) -> str:
    """A value as VRL writes it."""
    return json.dumps(value, ensure_ascii=False)
