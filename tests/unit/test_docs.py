"""What people can type and rely on stands in the documents."""

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock, patch

import click
import pytest
from pyflink.metrics import Counter, Distribution, Meter, MetricGroup

from fleetpulse.cli import reference
from fleetpulse.cli.main import fleetpulse
from fleetpulse.frames.frame import Batch
from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.inactivity.watch import InactivityWatch
from fleetpulse.records.reasons import Reason
from fleetpulse.stack.layout import OPTIONAL, Layout
from fleetpulse.topics import TOPICS, Topic, ticks
from generator.cli import command as generate
from generator.scenario import Scenario
from generator.sending.metrics import Meter as SimulatorMeter
from generator.sensors import command as sensors
from udfs.framing import ToFrames
from udfs.gauges import Gauges
from udfs.losses import Losses, LossPolicy

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = (ROOT / "docs" / "contracts.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def arguments(page: str, heading: str) -> set[str]:
    """The arguments in the first column of the tables below a heading."""
    section = (ROOT / page).read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `(--[\w.-]+)` \|", section, re.MULTILINE))


def test_the_tables_of_arguments_name_all_there_are_and_no_other() -> None:
    for page, heading, commands in [
        ("docs/simulator.md", "Arguments", [generate]),
        ("docs/simulator.md", "Sensors of a factory", [sensors]),
    ]:
        options = {o.opts[0] for command in commands for o in command.params if isinstance(o, click.Option)}
        assert arguments(page, heading) == options


def test_the_page_of_settings_is_what_the_settings_say() -> None:
    """Changed a setting? Then run `make docs`."""
    assert (ROOT / "docs" / "configuration.md").read_text() == reference.page()


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_in_the_contract(reason: Reason) -> None:
    assert f"\n| `{reason}` |" in CONTRACTS


@pytest.mark.parametrize("topic", [*TOPICS, ticks("inactivity")], ids=lambda t: t.name)
def test_every_topic_is_in_the_contract_with_its_partitions(topic: Topic) -> None:
    assert f"\n| `{topic.name}` | {topic.partitions} |" in CONTRACTS


def test_every_header_is_in_the_contract() -> None:
    source = (ROOT / "fleetpulse" / "shard" / "outputs.py").read_text()
    headers = re.findall(r'"((?:__connect\.errors|fleetpulse)\.[\w.]+)"', source)
    assert headers
    assert [h for h in headers if f"`{h}`" not in CONTRACTS] == []


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set()
    for page in PAGES:
        if page.name != "predecessors.md":  # it also names those that are still to come
            named |= set(re.findall(r"(?:`|^|\w=\d+ )make ([a-z][a-z0-9-]*)", page.read_text(), re.MULTILINE))
    assert named
    assert named <= targets


# The options of a make target's ARGS are those of a command.
OF_TARGETS = {
    "run-detector": "fleetpulse stack submit anomaly --",
    "run-generator": "fleetpulse generate",
    "run-producer": "fleetpulse generate",
    "simulate-dlt": "fleetpulse dlq simulate",
    "stack-up": "fleetpulse stack up",
}


def commands_named(page: Path) -> set[str]:
    """The calls of our commands that a page names, each as `fleetpulse` or a job and the words after it."""
    text = page.read_text().replace("\\\n", " ")
    fenced = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
    code = [line for block in fenced.findall(text) if "```mermaid" not in block for line in block.splitlines()]
    code += re.findall(r"`([^`\n]+)`", fenced.sub("", text))
    found = set()
    for line in code:
        if call := re.match(r"\s*(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?fleetpulse ([a-z]+\b[^#|]*)", line):
            found.add(f"fleetpulse {call[1]}")
        for job, words in re.findall(r"\bjobs[/.](\w+)(?:\.py)? ([^#]*)", line):
            found.add(f"fleetpulse stack submit {job} -- {re.sub('-pyfs .*zip', '', words)}")
        for target, words in re.findall(r'\bmake ([a-z-]+) .*ARGS="([^"]*)"', line):
            job = re.fullmatch(r"submit-(\w+)", target)
            if command := f"fleetpulse stack submit {job[1]} --" if job else OF_TARGETS.get(target):
                found.add(f"{command} {words}")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_exists_with_its_options(page: Path) -> None:
    for call in commands_named(page):
        command: click.Command = fleetpulse
        _, *words = call.split()
        while isinstance(command, click.Group) and words:
            found = command.get_command(click.Context(command), words.pop(0).rstrip(".,:;"))
            assert found is not None, call
            command = found
        if command.name == "submit" and "--" in words:
            split = words.index("--")
            if words[0].islower():  # else it is to be filled in
                _options_exist(importlib.import_module(f"jobs.{words[0]}").command, words[split + 1 :], call)
            words = words[:split]
        _options_exist(command, words, call)


def _options_exist(command: click.Command, words: list[str], call: str) -> None:
    known = {name for parameter in command.params for name in (*parameter.opts, *getattr(parameter, "aliases", ()))}
    given = {word.split("=")[0] for word in words if re.match(r"--[a-z]", word)}
    assert given <= known | {"--help"}, call


class NamedMetrics(MetricGroup):
    """Notes the labels of each metric that is registered, by its name."""

    def __init__(self, labels_of: dict[str, tuple[str, ...]], labels: tuple[str, ...] = ()) -> None:
        self._labels_of = labels_of
        self._labels = labels

    def add_group(self, name: str, extra: str | None = None) -> "NamedMetrics":
        assert extra is not None, "a group without a value is no label"
        return NamedMetrics(self._labels_of, (*self._labels, name))

    def gauge(self, name: str, obj: Callable[[], int]) -> None:
        self._labels_of[name] = self._labels

    def counter(self, name: str) -> Counter:
        self._labels_of[name] = self._labels
        return Mock(Counter)

    def distribution(self, name: str) -> Distribution:
        raise AssertionError(f"{name}: PyFlink 2.3 never reports a distribution to Prometheus, which shows 0 for ever")

    def meter(self, name: str, time_span_in_seconds: int = 60) -> Meter:
        self._labels_of[name] = self._labels
        return Mock(Meter)


def registered_metrics() -> dict[str, tuple[str, ...]]:
    """The metrics that the subtasks of a job register, once they have read a record and written an alert."""
    found: dict[str, tuple[str, ...]] = {}
    with patch("udfs.losses.PartitionOffsets", lambda _servers, _group: Mock(committed=lambda *_: None)):
        losses = Losses(LossPolicy("broker:9092", "group", ("events",), stop=False), NamedMetrics(found), shards=1)
    losses.look(Batch([0], [0], [0], [None], [None]))
    gauges = Gauges(NamedMetrics(found), {})
    ToFrames((), 0, 0, measured=False).open(Mock(get_metric_group=lambda: NamedMetrics(found)))
    gauges.count(InactivityWatch(InactivityPolicy()).advance([(1, "d1")], 120_000))
    return found


def test_the_contract_names_every_metric_with_its_labels_and_no_other() -> None:
    documented = {}
    for names, meaning in re.findall(r"^\| (`fleetpulse_(?!generator_).*?) \| (.*) \|$", CONTRACTS, re.MULTILINE):
        by = re.search(r"by labels? (.*); the name has `(\w+)` before it", meaning)
        labels = tuple(re.findall(r"`(\w+)`", by[1])) if by else ()
        assert "".join(f"{label}_" for label in labels) == (by[2] if by else "")
        documented |= dict.fromkeys(re.findall(r"`(\w+)`", names), labels)
    assert documented == registered_metrics()


def test_the_contract_names_every_metric_of_the_simulator_and_no_other() -> None:
    meter = SimulatorMeter(lambda: 0.0)
    meter.watch(Mock(topic="t", reached_ms=0), Scenario(seed=1, devices=1, interval_ms=1.0, start_ms=0, duration_ms=1))
    shown = {sample.name for metric in meter.collect() for sample in metric.samples}
    assert set(re.findall(r"`(fleetpulse_generator_\w+)`", CONTRACTS)) == shown


def test_the_ports_of_the_page_are_those_of_the_stack(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "embedded-stack.md").read_text().split("\n## Ports\n")[1].split("\n## ")[0]
    listed = [int(port) for cell in re.findall(r"^\| ([\d, ]+) \|", page, re.MULTILINE) for port in cell.split(",")]
    assert sorted(listed) == sorted(Layout(tmp_path, 0, frozenset(OPTIONAL)).ports.values())


def test_the_licence_is_the_one_that_is_named() -> None:
    assert "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text()
    assert "Apache-2.0, see [LICENSE](LICENSE)" in (ROOT / "README.md").read_text()
