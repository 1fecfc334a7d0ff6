"""How fast the simulator sends, and how well it keeps a pace: `python -m bench simulator`."""

import re
import subprocess
import sys
import uuid
from pathlib import Path

import click

from bench.measure import spread
from bench.measurements.contenders import ROOT
from bench.report import count_option, folder_option, machine, output_option, publish
from fleetpulse.stack.layout import layout

_DEVICES = 1_000
_FLAT_OUT_RECORDS = 3_000_000
_PACE = 5_000
_PACED_SECONDS = 60
_SAID = re.compile(r"([\d,]+) records acknowledged in \S+ ([\d.]+) s")


@click.command(context_settings={"show_default": True})
@folder_option
@count_option("runs", 1, 3, "Runs of each kind.")
@output_option
def main(folder: str, runs: int, output: Path | None) -> None:
    """Measure the simulator, faults included."""
    bootstrap_servers = layout(folder).address("kafka")
    flat_out = [_rate(bootstrap_servers, "--rate", "0", *_lasting(_FLAT_OUT_RECORDS // _DEVICES)) for _ in range(runs)]
    paced = [_rate(bootstrap_servers, "--rate", str(_PACE), *_lasting(_PACED_SECONDS)) for _ in range(runs)]
    lines = [
        f"{runs} runs each; {machine()}.",
        "",
        "| | records/s, median (range) |",
        "| --- | ---: |",
        f"| flat out, {_FLAT_OUT_RECORDS:,} records | {_cell(flat_out)} |",
        f"| paced at {_PACE:,}/s for {_PACED_SECONDS} s | {_cell(paced)} |",
    ]
    publish("\n".join(lines), output, "simulator")


def _lasting(seconds: int) -> tuple[str, ...]:
    return "--event.interval.ms", "1000", "--duration.seconds", str(seconds)


def _rate(bootstrap_servers: str, *arguments: str) -> float:
    """Records a second of one run, as the simulator says when it ends."""
    faults = "--out.of.order.rate 0.02 --duplicate.rate 0.01 --malformed.rate 0.001 --num.devices"
    topic = f"bench.measurements.simulator.{uuid.uuid4().hex}"
    places = ["--kafka.bootstrap.servers", bootstrap_servers, "--topic", topic]
    command = [
        sys.executable,
        "-c",
        "from fleetpulse.cli.main import main; main()",
        "generate",
        *places,
        *faults.split(),
        str(_DEVICES),
    ]
    done = subprocess.run([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found = _SAID.search(done.stdout)
    if found is None:
        raise SystemExit(f"the simulator said something else: {done.stdout}")
    return int(found[1].replace(",", "")) / float(found[2])


def _cell(rates: list[float]) -> str:
    median, low, high = spread(rates)
    return f"{median:,.0f} ({low:,.0f}–{high:,.0f})"
