"""Rules ask for what is there, and tell who reads them what is meant and what to do."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

FOLDER = Path("deploy/observability/prometheus")
RULES = {
    (file.stem, rule.get("alert") or rule["record"]): rule
    for file in sorted((FOLDER / "rules").glob("*.yaml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
}
ALERTS = {key: rule for key, rule in RULES.items() if "alert" in rule}
EXPOSED = {name for file in (FOLDER / "exposed").glob("*.txt") for name in file.read_text().split()}
RECORDED = {rule["record"] for rule in RULES.values() if "record" in rule}
OF_EVERY_TARGET = {"up"}
LONGEST = 100  # of a summary, which stands in a table

each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=[name for _, name in RULES])
each_alert = pytest.mark.parametrize("rule", ALERTS.values(), ids=[name for _, name in ALERTS])


def metrics(expression: str) -> set[str]:
    """The metrics that an expression asks for."""

    found: set[str] = set()

    def visit(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.add(node.name)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


@cache
def cases() -> dict[str, set[bool]]:
    """Of each alert, for the moments at which its tests look at it: whether it must fire."""
    found: dict[str, set[bool]] = {}
    for file in (FOLDER / "tests").glob("*.yaml"):
        for test in yaml.safe_load(file.read_text())["tests"]:
            for looked in test["promql_expr_test"]:
                [alert] = re.findall(r'alertname="(\w+)", alertstate="firing"', looked["expr"])
                found.setdefault(alert, set()).add(bool(looked["exp_samples"]))
    return found


def anchor(alert: str) -> str:
    """The name of an alert as that of a heading."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", alert).lower()


@each_rule
def test_a_rule_asks_only_for_metrics_that_are_exposed_or_recorded(rule: dict[str, Any]) -> None:
    asked = metrics(rule["expr"])
    assert asked
    assert asked - EXPOSED - RECORDED - OF_EVERY_TARGET == set()


def test_expressions_are_taken_apart_whole() -> None:
    asked = metrics('sum by (a) (rate(b{c="d"}[5m])) / (e > 0) unless absent(f offset 5m) or max_over_time(g[5m:1m])')
    assert asked == {"b", "e", "f", "g"}


@each_alert
def test_an_alert_says_what_is_so_and_leads_to_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"] in ({"severity": "critical"}, {"severity": "warning"})
    notes = rule["annotations"]
    assert notes.keys() == {"summary", "description", "runbook"}
    assert len(notes["summary"]) <= LONGEST
    assert notes["description"].endswith(".")
    assert notes["runbook"] == f"docs/operations.md#{anchor(rule['alert'])}"
    headings = re.findall(r"^### (.*)$", Path("docs/operations.md").read_text(), re.MULTILINE)
    assert anchor(rule["alert"]) in [heading.lower().replace(" ", "-") for heading in headings]


@each_alert
def test_an_alert_is_seen_to_fire_and_not_to_fire(rule: dict[str, Any]) -> None:
    assert cases()[rule["alert"]] == {True, False}


def test_the_list_of_flink_has_the_jobs_own_metrics_as_the_contract_names_them() -> None:
    named = set()
    rows = re.findall(
        r"^\| (`fleetpulse_(?!generator_).*?) \| (.*) \|$", Path("docs/contracts.md").read_text(), re.MULTILINE
    )
    for cell, meaning in rows:
        labels = re.search(r"the name has `(\w+)` before it", meaning)
        named |= {f"{labels[1] if labels else ''}{name}" for name in re.findall(r"`(\w+)`", cell)}
    listed = {name.removeprefix("flink_taskmanager_job_task_operator_") for name in EXPOSED if "fleetpulse_" in name}
    assert {name for name in listed if "generator" not in name and not name.startswith("flink_")} == named


def test_no_two_rules_have_one_name() -> None:
    assert len({name for _, name in RULES}) == len(RULES)


def test_every_job_has_its_targets_in_a_file_of_its_name() -> None:
    configured = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())["scrape_configs"]
    files = {job["job_name"]: job["file_sd_configs"][0]["files"][0] for job in configured}
    assert files == {job: f"targets/{job}.yaml" for job in files}
    assert {f"targets/{file.name}" for file in (FOLDER / "targets").iterdir()} == set(files.values())


def test_three_brokers_are_asked_where_there_are_three() -> None:
    [[one]], [three] = (
        [group["targets"] for group in yaml.safe_load((FOLDER / folder / "kafka.yaml").read_text())]
        for folder in ("targets", "targets-ha")
    )
    assert three == [one, *(one.replace("kafka", f"kafka-{number}") for number in (2, 3))]


def test_the_exporter_of_kafka_shows_what_is_listed_and_no_other_measure_of_the_broker() -> None:
    shown = {rule["name"].lower() for rule in yaml.safe_load((FOLDER / "kafka-jmx.yaml").read_text())["rules"]}
    patterns = [re.sub(r"\$\d", r"\\w+", name) for name in shown]
    listed = {name for name in (FOLDER / "exposed" / "kafka.txt").read_text().split() if name.startswith("kafka_")}
    assert {name for name in listed if not any(re.fullmatch(pattern, name) for pattern in patterns)} == set()
    assert [pattern for pattern in patterns if not any(re.fullmatch(pattern, name) for name in listed)] == []


@pytest.mark.parametrize("file", sorted((FOLDER / "exposed").glob("*.txt")), ids=lambda file: file.stem)
def test_lists_are_in_order_and_name_metrics_once(file: Path) -> None:
    names = file.read_text().splitlines()
    assert names == sorted(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-zA-Z_]\w*", name)] == []
