"""What a demo starts, in which order, and what is left when that fails."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack import lifecycle
from fleetpulse.stack.demo import starting
from fleetpulse.stack.demo.steps import Steps
from fleetpulse.stack.demo.topics import DemoTopics
from fleetpulse.stack.layout import Layout

PATIENCE_S = 30


class Watched:
    """A start of which nothing is real; `done` has what happened in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.submitted = threading.Event()
        self.flink_starts = True
        monkeypatch.setattr(lifecycle, "up", self.up)
        monkeypatch.setattr(starting, "ensure_topics", lambda _servers, _topics: None)
        monkeypatch.setattr(starting, "end_former", lambda _stack, _topics: self.done.append("former ended"))
        monkeypatch.setattr(starting, "submit", self.submit)
        monkeypatch.setattr(starting, "_simulator", self.simulator)

    def up(self, _stack: Layout) -> Iterator[str]:
        yield "kafka"
        if not self.flink_starts:
            raise FleetpulseError("jobmanager does not start")
        assert self.submitted.wait(PATIENCE_S), "no job was submitted while Flink starts"
        self.done.append("flink is up")
        yield "jobmanager"

    def submit(self, _stack: Layout, job: str, arguments: list[str]) -> str:
        assert arguments[-2:] == ["--parallelism", "1"]
        self.done.append(f"{job} submitted")
        if job == "archive":
            self.submitted.set()
        return f"id of {job}"

    @contextmanager
    def simulator(self, _stack: Layout, _topics: DemoTopics) -> Iterator[None]:
        try:
            yield
        finally:
            self.done.append("simulator stopped")

    def start(self, folder: Path) -> starting.Demo:
        with ExitStack() as ending:
            steps = Steps(lambda _line: None)
            return starting.start(Layout(folder), steps, ending, lambda _topics: self.done.append("demo ended"))


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def test_jobs_are_submitted_while_flink_starts_that_of_the_alerts_first(watched: Watched, tmp_path: Path) -> None:
    demo = watched.start(tmp_path)
    assert demo.jobs == {"monitor": "id of monitor", "archive": "id of archive"}
    assert watched.done[:4] == ["monitor submitted", "archive submitted", "flink is up", "former ended"]


def test_the_simulator_stops_before_its_demo_ends(watched: Watched, tmp_path: Path) -> None:
    watched.start(tmp_path)
    assert watched.done[-2:] == ["simulator stopped", "demo ended"]


def test_a_start_that_fails_leaves_no_simulator_and_no_demo(watched: Watched, tmp_path: Path) -> None:
    watched.flink_starts = False
    with pytest.raises(FleetpulseError, match="jobmanager does not start"):
        watched.start(tmp_path)
    assert "simulator stopped" in watched.done
    assert watched.done[-1] == "demo ended"
