"""What Grafana is started with."""

import re
from pathlib import Path

import pytest
import yaml

from fleetpulse.dashboards import GRAFANA_VERSION
from tests.dashboards import expressions, panels
from tests.unit.fleetpulse.dashboards.expressions import exposed, metrics

HERE = Path("deploy/observability/grafana")
FILES = sorted((HERE / "provisioning").rglob("*.yaml"))
[GROUP] = yaml.safe_load((HERE / "provisioning/alerting/rules.yaml").read_text())["groups"]
RULES = [pytest.param(rule, id=rule["uid"]) for rule in GROUP["rules"]]


def loaded(name):
    return yaml.safe_load((HERE / f"provisioning/{name}.yaml").read_text())


def test_the_data_sources_are_those_that_dashboards_name():
    sources = {source["uid"]: source["type"] for source in loaded("datasources/datasources")["datasources"]}
    assert sources == {"timescaledb": "grafana-postgresql-datasource", "prometheus": "prometheus"}


def test_no_secret_stands_in_a_file():
    [database, _] = loaded("datasources/datasources")["datasources"]
    assert database["secureJsonData"] == {"password": "${FLEETPULSE_DB_PASSWORD}"}
    assert database["user"] == "monitor_user"


def test_the_variables_are_those_that_the_readme_lists():
    used = {name for path in FILES for name in re.findall(r"(?<!\$)\$\{(\w+)\}", path.read_text())}
    listed = set(re.findall(r"^\| `(FLEETPULSE_\w+)`", (HERE / "README.md").read_text(), re.MULTILINE))
    assert used == listed


def test_the_readme_names_the_version():
    assert GRAFANA_VERSION in (HERE / "README.md").read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_other_dollar_sign_is_written_twice(path):
    """Grafana puts variables in wherever it sees one, so that `$labels` would vanish."""
    text = re.sub(r"(?m)^\s*#.*$|\s#.*$", "", path.read_text())
    assert re.sub(r"\$\$|\$\{FLEETPULSE_\w+\}", "", text).count("$") == 0


def test_alerts_are_told_to_a_contact_point_that_exists():
    notify = loaded("alerting/notify")
    assert [policy["receiver"] for policy in notify["policies"]] == [point["name"] for point in notify["contactPoints"]]


def without_limits(expression):
    return re.sub(r" > [\d.]+", "", " ".join(expression.split()))


@pytest.mark.parametrize(
    ("uid", "alert"),
    [
        ("no-checkpoint", "NoCheckpoint"),
        ("lag-rising", "LagRising"),
        ("dead-letters-rising", "DeadLettersRising"),
        ("alerts-rejected", "AlertsRejected"),
    ],
)
def test_a_rule_asks_what_prometheus_asks_whose_rules_promtool_tests(uid, alert):
    [here] = [rule["data"][0]["model"]["expr"] for rule in GROUP["rules"] if rule["uid"] == uid]
    groups = yaml.safe_load(Path("deploy/observability/prometheus/rules/flink.yaml").read_text())["groups"]
    [there] = [rule["expr"] for group in groups for rule in group["rules"] if rule.get("alert") == alert]
    assert without_limits(here) == without_limits(there)


def test_rules_watch_what_must_not_go_unnoticed():
    assert {"target-down", "job-down", "not-stored"} <= {rule["uid"] for rule in GROUP["rules"]}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_asks_for_what_exists_and_says_what_to_do(rule):
    query, condition = rule["data"]
    assert (query["refId"], condition["refId"], rule["condition"]) == ("A", "B", "B")
    assert condition["model"]["expression"] == "A"
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"].endswith(".")
    if "expr" in query["model"]:
        assert metrics(query["model"]["expr"]) <= exposed()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_leads_to_a_panel_on_the_same_matter(rule):
    [panel] = [p for p in panels("pipeline-health") if str(p["id"]) == rule["annotations"]["__panelId__"]]
    query = rule["data"][0]["model"]
    if "expr" in query:
        assert any(metrics(query["expr"]) & metrics(target["expr"]) for target in panel["targets"])
    else:
        assert "alerts_rejects" in panel["targets"][0]["rawSql"]


def test_a_simulator_that_does_not_run_is_nothing_to_be_told_of():
    asked = [rule["data"][0]["model"].get("expr", "") for rule in GROUP["rules"]] + expressions()
    alive = [expression for expression in asked if re.search(r"\bup\b", expression)]
    assert len(alive) == 2
    assert all('up{job!="simulator"}' in expression for expression in alive)
