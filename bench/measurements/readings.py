"""Rules and windows, each beside another way to do the same: `python -m bench readings --runs 3`."""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bench import outcome, report, topic
from bench.measure import Result, summarize
from bench.measurements.contenders import JAVA_JOB, ROOT, Contender, FlinkJob, Running, SideBySide, Target
from bench.peers.sql_windows import METRICS
from bench.run import compile_java, watch
from bench.story import InAvro, Story
from fleetpulse.cli.settings import option
from fleetpulse.kafka.schema_registry import Registry
from fleetpulse.records.avro import SCHEMA
from fleetpulse.rulefiles.files import load
from fleetpulse.rules.model import to_document
from fleetpulse.stack.layout import layout
from fleetpulse.stack.programs import registry

_RULES = ROOT / "bench" / "rules.yaml"
_RULES_JSON = ROOT / "build" / "bench-rules.json"


def _ours(job: str, target: Target) -> FlinkJob:
    """One of the project's jobs, from the beginning of the topic to its present end."""
    topics = {"alerts": target.alerts, "rules": target.own(f"rules.{job}"), "aggregates": target.own("windows")}
    takes = {"inactivity": ("alerts", "rules"), "anomaly": ("alerts", "rules"), "aggregate": ("aggregates",)}
    arguments = [f"-py jobs/{job}.py -pyfs build/fleetpulse.zip --bounded --time.source record"]
    arguments += [f"--kafka.bootstrap.servers {target.bootstrap_servers} --events.topic {target.topic}"]
    arguments += [f"--{name}.topic {topics[name]}" for name in takes.get(job, tuple(topics))]
    if job in ("anomaly", "monitor"):
        arguments.append(f"--rules {_RULES.relative_to(ROOT)}")
    if target.topic.startswith("bench.avro"):
        arguments.append(f"--schema.registry.url {registry.url(target.stack)}")
    return FlinkJob(target, " ".join(arguments))


def _job(job: str) -> Callable[[Target], Running]:
    return lambda target: _ours(job, target)


def _three(target: Target) -> Running:
    return SideBySide([_ours(job, target) for job in ("inactivity", "anomaly", "aggregate")])


def _java(target: Target) -> Running:
    arguments = f"{target.bootstrap_servers} {target.topic} {target.alerts} {_RULES_JSON.relative_to(ROOT)}"
    return FlinkJob(target, f"-c fleetpulse.bench.AnomalyJob {JAVA_JOB.relative_to(ROOT)} {arguments}")


def _sql(target: Target) -> Running:
    topics = f"--brokers {target.bootstrap_servers} --topic {target.topic} --windows {target.own('windows')}"
    return FlinkJob(target, f"-py bench/peers/sql_windows.py {topics}")


@dataclass(frozen=True, slots=True)
class Work:
    """The same work, done in several ways."""

    name: str
    title: str
    contenders: tuple[Contender, ...]


_SQL = Contender("Flink SQL, TUMBLE over typed JSON", _sql)
_INACTIVITY_AVRO = Contender("inactivity job, Avro", _job("inactivity"))
_MONITOR_AVRO = Contender("monitor job, Avro", _job("monitor"))
WORKS = (
    Work(
        "rules",
        "Twenty rules (`bench/rules.yaml`)",
        (Contender("Fleetpulse, anomaly job", _job("anomaly")), Contender("Java DataStream", _java)),
    ),
    Work(
        "windows",
        "Windows of a minute: count, sum, smallest, largest and mean of four metrics",
        (Contender("Fleetpulse, aggregate job", _job("aggregate")), _SQL),
    ),
    Work(
        "together",
        "Silence, rules and windows",
        (Contender("monitor job", _job("monitor")), Contender("three jobs side by side", _three)),
    ),
    Work(
        "silence",
        "Silence, read as Avro and as JSON",
        (_INACTIVITY_AVRO, Contender("inactivity job, JSON", _job("inactivity"))),
    ),
    Work("avro", "Silence, rules and windows, read as Avro", (_MONITOR_AVRO,)),
)


@click.command(context_settings={"show_default": True})
@report.folder_option
@report.count_option("records", topic.FEWEST, 9_000_000, "Records in each topic.")
@report.count_option("runs", 1, 3, "Runs of each contender.")
@option(
    "only",
    click.Choice([work.name for work in WORKS]),
    "This work; may be given several times.  [default: all]",
    multiple=True,
    environment=False,
)
@report.output_option
def main(folder: str, records: int, runs: int, only: tuple[str, ...], output: Path | None) -> None:
    """Measure speed, CPU and memory of rules, windows, both with silence, and Avro."""
    compile_java()
    _RULES_JSON.write_text(json.dumps(to_document(load(_RULES))))
    stack = layout(folder)
    story = Story(records)
    in_avro = InAvro(story, Registry(registry.url(stack)).register("bench.avro-value", SCHEMA))
    parts = []
    for work in WORKS:
        if only and work.name not in only:
            continue
        results: dict[Contender, list[Result]] = {contender: [] for contender in work.contenders}
        seen: list[Any] = []
        for number in range(runs):
            for contender in work.contenders:
                told = in_avro if contender in (_INACTIVITY_AVRO, _MONITOR_AVRO) else story
                target = Target(stack, told.topic, f"bench.alerts.{uuid.uuid4().hex}", records)
                topic.fill(target.bootstrap_servers, told)
                topic.create(target.bootstrap_servers, target.alerts, 1)
                topic.create(target.bootstrap_servers, target.own("windows"), 3)
                samples, seconds = watch(contender, target)
                seen.append(_outcome(contender, target))
                result = summarize(samples, records, seconds, sum(seen[-1][0].values()))
                results[contender].append(result)
                click.echo(f"run {number + 1}: {contender.name}: {report.line(result)}, {_said(seen[-1])}", err=True)
                if seen[-1] != seen[0]:
                    raise SystemExit(f"{contender.name} decided {seen[-1]} instead of {seen[0]}")
        parts.append(f"{work.title}. {report.table(results, records)}")
    report.publish("\n".join(parts), output, "readings")


def _outcome(contender: Contender, target: Target) -> Any:
    alerts = outcome.opened(topic.values(target.bootstrap_servers, target.alerts))
    written = topic.values(target.bootstrap_servers, target.own("windows"))
    return alerts, outcome.sql_windows(written, METRICS) if contender is _SQL else outcome.windows(written)


def _said(seen: Sequence[Any]) -> str:
    return f"by rule {seen[0]}, by metric {seen[1]}"
