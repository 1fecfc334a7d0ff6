"""The same work by every contender, on the same topic: `python -m bench contenders --records 9000000 --runs 3`."""

import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

import click

from bench import report, topic
from bench.measure import Result, Sample, Usage, summarize
from bench.measurements.contenders import CONTENDERS, JAVA_JOB, PEERS_PYTHON, ROOT, Contender, Target
from fleetpulse.cli.settings import option
from fleetpulse.stack.layout import layout

_LOOK_EVERY_SECONDS = 0.25


@click.command(context_settings={"show_default": True})
@report.folder_option
@report.count_option("records", topic.FEWEST, 9_000_000, "Records in the topic.")
@report.count_option("runs", 1, 3, "Runs of each contender.")
@option(
    "only",
    click.STRING,
    "Contenders whose name contains this; may be given several times.  [default: all]",
    multiple=True,
    environment=False,
)
@report.output_option
def main(
    folder: str,
    records: int,
    runs: int,
    only: tuple[str, ...],
    output: Path | None,
) -> None:
    """Measure speed, CPU and memory of the inactivity work, done in several ways."""
    chosen = [c for c in CONTENDERS if not only or any(part.lower() in c.name.lower() for part in only)]
    _prepare()
    stack = layout(folder)
    results: dict[Contender, list[Result]] = {contender: [] for contender in chosen}
    # Round by round, so that what changes on the machine meanwhile meets every contender.
    for number in range(runs):
        for contender in chosen:
            fleet = topic.Fleet(contender.records(records))
            target = Target(stack, fleet.topic, f"bench.alerts.{uuid.uuid4().hex}", fleet.records)
            topic.fill(target.bootstrap_servers, fleet)
            topic.create(target.bootstrap_servers, target.alerts, 1)
            result = measure(contender, target)
            results[contender].append(result)
            click.echo(f"run {number + 1}: {contender.name}: {report.line(result)}", err=True)
            if result.alerts != fleet.alerts:
                raise SystemExit(f"{contender.name} opened {result.alerts} alerts instead of {fleet.alerts}")
    report.publish(report.table(results, records), output, "contenders")


def measure(contender: Contender, target: Target) -> Result:
    """Run one contender once."""
    samples, seconds = watch(contender, target)
    return summarize(samples, target.records, seconds, topic.opened(target.bootstrap_servers, target.alerts))


def watch(contender: Contender, target: Target) -> tuple[list[Sample], float]:
    """Run one contender once; returns what was seen, and the seconds from submission to end."""
    running = contender.start(target)
    usage = Usage(running.processes())
    begun, samples, seconds = time.time(), [Sample(0.0, 0, 0.0, 0)], None
    while seconds is None:
        seconds = running.seconds()
        records = target.records if seconds is not None else running.records()
        samples.append(Sample(time.time() - begun, records, *usage.look(running.processes())))
        time.sleep(_LOOK_EVERY_SECONDS)
    return samples, seconds


def _prepare() -> None:
    """Make what the contenders need and is not there yet: the peers' Python, the Java job."""
    if not PEERS_PYTHON.exists():
        _say("making a virtual environment for Quix Streams and Bytewax")
        subprocess.run([sys.executable, "-m", "venv", PEERS_PYTHON.parent.parent], check=True)
        requirements = ROOT / "bench" / "requirements.txt"
        subprocess.run([PEERS_PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", requirements], check=True)
    compile_java()


def compile_java() -> None:
    """Compile the Java jobs, unless they are there."""
    if not JAVA_JOB.exists():
        if shutil.which("mvn") is None:
            raise SystemExit("the Java contender needs Maven and a JDK: install them, or leave it out with --only")
        _say("compiling the Java jobs")
        subprocess.run(["mvn", "-q", "package"], cwd=ROOT / "bench" / "java", check=True)


def _say(text: str) -> None:
    click.echo(text, err=True)
