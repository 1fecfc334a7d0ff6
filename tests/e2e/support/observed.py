"""A pipeline for Prometheus to watch, and what it has seen."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from fleetpulse.stack import submit
from fleetpulse.stack.programs import prometheus
from fleetpulse.topics import TELEMETRY
from tests.e2e.support.embedded import EmbeddedStack

FOLDER = Path("deploy/observability/prometheus")


@dataclass(frozen=True)
class Prometheus:
    """The stack's Prometheus."""

    stack: EmbeddedStack

    def get(self, path: str, **parameters: str) -> Any:
        """What its interface answers."""
        url = f"{prometheus.url(self.stack.layout)}/api/v1/{path}"
        answer = requests.get(url, params=parameters, timeout=60)
        answer.raise_for_status()
        return answer.json()["data"]

    def targets(self) -> set[tuple[str, str, str]]:
        """Of each target the job, whether it is up, and why not."""
        found = self.get("targets", state="active")["activeTargets"]
        return {(target["labels"]["job"], target["health"], target["lastError"]) for target in found}

    def shows_all(self, jobs: Iterable[str]) -> bool:
        """Whether every metric that is listed for a job has been shown by it; fails with those that were not."""
        for job in jobs:
            listed = (FOLDER / "exposed" / f"{job}.txt").read_text().split()
            shown = self.get("label/__name__/values", **{"match[]": f'{{job="{job}"}}'})
            missing = set(listed) - set(shown)
            assert not missing, f"{job}: {sorted(missing)}"
        return True

    def empty(self, expressions: Iterable[str]) -> list[str]:
        """Those expressions that have no value now."""
        return [expression for expression in expressions if not self.get("query", query=expression)["result"]]

    def without_value(self) -> list[str]:
        """The recording rules that have none now."""
        return self.empty(f'{{__name__="{rule["record"]}"}}' for rule in _rules() if "record" in rule)

    def unhealthy(self) -> list[str]:
        """The rules that could not be evaluated."""
        rules = [rule for group in self.get("rules")["groups"] for rule in group["rules"]]
        assert len(rules) == len(_rules())
        return [f"{rule['name']}: {rule.get('lastError')}" for rule in rules if rule["health"] != "ok"]

    def firing(self) -> list[str]:
        """The alerts that fire now."""
        return [a["labels"]["alertname"] for a in self.get("alerts")["alerts"] if a["state"] == "firing"]


def none_left(found: list[str]) -> bool:
    """Whether nothing is left to wait for; fails with what is."""
    assert not found, str(found)
    return True


@contextmanager
def pipeline(stack: EmbeddedStack) -> Iterator[None]:
    """A fleet, of which some have been silent before, and the job that decides about it."""
    layout = stack.layout
    [address] = prometheus.targets(layout)["simulator"]
    host, _, port = address.partition(":")
    simulator = subprocess.Popen(
        [
            *(sys.executable, "-c", "from fleetpulse.cli import main; main.main()"),
            *("generate", "--dialect", "telemetry"),
            *("--kafka.bootstrap.servers", stack.bootstrap, "--metrics.port", port, "--metrics.host", host),
            *("--num.devices", "20", "--event.interval.ms", "500ms", "--backfill", "10m", "--duration.seconds", "1h"),
            *("--failure.probability", "0.5", "--spike.rate", "0.02"),
        ]
    )
    try:
        rules = ("--rules", "rules/complete.yaml")
        submit.submit(
            layout, "monitor", [*submit.defaults(layout, "monitor"), "--events.topic", TELEMETRY.name, *rules]
        )
        yield
    finally:
        simulator.terminate()
        simulator.wait(60)


def _rules() -> list[dict[str, Any]]:
    files = [yaml.safe_load(file.read_text()) for file in sorted((FOLDER / "rules").glob("*.yaml"))]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]
