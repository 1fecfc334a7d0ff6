"""What must hold of the dashboards without asking any server."""

import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from fleetpulse.dashboards.__main__ import files
from fleetpulse.dashboards.queries import PROMETHEUS, TIMESCALEDB
from tests.dashboards import UIDS, dashboard, panels, query_variables, statements, variables
from tests.unit.fleetpulse.dashboards.expressions import exposed, metrics

ALL_PANELS = [pytest.param(uid, panel, id=f"{uid}: {panel['title']}") for uid in UIDS for panel in panels(uid)]
EXPRESSIONS = [
    pytest.param(target["expr"], id=f"{uid}: {panel['title']} {target['refId']}")
    for uid in UIDS
    for panel in panels(uid)
    for target in panel["targets"]
    if "expr" in target
]
LINK = re.compile(r"/d/(?P<uid>[\w-]+)\?.*?\bvar-(?P<variable>\w+)=\$\{(?P<value>[^:}]+):percentencode\}$")
UNITS = {"s", "ms", "short", "none", "bytes", "percent", "percentunit", "celsius", "humidity", "degree"} | {
    *("rps", "cps", "eps", "wps", "dtdurations", "dateTimeFromNow", "dateTimeAsIso")
}


def test_the_files_are_what_the_code_says_and_no_others():
    written = {path: path.read_text() for path in Path("deploy/observability/grafana/dashboards").resolve().iterdir()}
    assert written == files(), "run `python -m fleetpulse.dashboards`"


def test_every_statement_belongs_to_a_panel_or_a_variable():
    asked = {statement.sql for uid in UIDS for statement in statements(uid)}
    assert {path.read_text().strip() for path in Path("fleetpulse/dashboards/sql").rglob("*.sql")} == asked


def test_every_dashboard_has_its_own_uid_title_and_time():
    built = [dashboard(uid) for uid in UIDS]
    assert [one["uid"] for one in built] == UIDS
    assert len({one["title"] for one in built}) == len(built)
    for one in built:
        assert one["time"]["from"].startswith("now-")
        assert one["refresh"]
        assert one["description"]


@pytest.mark.parametrize(("uid", "since"), [("sensor-overview", "now-1h"), ("end-to-end-latency", "now-15m")])
def test_what_reads_the_rows_of_the_whole_fleet_opens_with_few_of_them(uid, since):
    assert dashboard(uid)["time"]["from"] == since


@pytest.mark.parametrize("uid", UIDS)
def test_panels_have_ids_of_their_own_and_do_not_overlap(uid):
    placed = dashboard(uid)["panels"]
    assert set(Counter(panel["id"] for panel in placed).values()) == {1}
    cells = [
        {(x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])}
        for g in (panel["gridPos"] for panel in placed)
    ]
    assert all(x < 24 for panel in cells for x, _ in panel)
    assert not any(one & other for one, other in combinations(cells, 2))


@pytest.mark.parametrize(("uid", "panel"), ALL_PANELS)
def test_a_panel_says_what_it_shows_and_in_what_unit(uid, panel):
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert len(panel["description"]) > 30
    if panel["type"] == "text":
        return
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["noValue"]
    assert defaults["unit"] in UNITS
    shown = [p["value"] for o in panel["fieldConfig"]["overrides"] for p in o["properties"] if p["id"] == "unit"]
    assert set(shown) <= UNITS
    for target in panel["targets"]:
        assert target["datasource"] in (TIMESCALEDB, PROMETHEUS)


def links(uid):
    yield from (link["url"] for link in dashboard(uid)["links"] if link["type"] == "link")
    for panel in panels(uid):
        config = panel["fieldConfig"]
        yield from (link["url"] for link in config["defaults"].get("links", ()))
        for override in config["overrides"]:
            yield from (link["url"] for p in override["properties"] if p["id"] == "links" for link in p["value"])


@pytest.mark.parametrize("uid", UIDS)
def test_links_lead_to_variables_that_exist(uid):
    for url in links(uid):
        found = LINK.search(url)
        assert found, url
        assert found["variable"] in {variable["name"] for variable in variables(found["uid"])}
        assert found["value"].startswith("__data.fields.") or found["value"] in {v["name"] for v in variables(uid)}


def test_an_alert_leads_to_its_device_and_back():
    assert any("/d/device-detail?" in url for url in links("device-alerts"))
    assert any("/d/device-alerts?" in url for url in links("device-detail"))


@pytest.mark.parametrize("uid", UIDS)
def test_statements_use_variables_that_exist_in_the_way_that_is_safe(uid):
    """Several values are put in quotes by the data source; one value must stand in quotes."""
    known = {variable["name"]: variable.get("multi", False) for variable in variables(uid)}
    for statement in statements(uid):
        for found in re.finditer(r"(?P<quote>'?)\$\{(?P<name>[^}]+)\}(?P<end>'?)", statement.sql):
            assert known[found["name"]] == (found["quote"] == "" == found["end"]), (statement.name, found[0])


def test_a_silence_of_a_device_is_a_gap_in_each_of_its_lines():
    """Grafana fills missing rows where the macro says so, and draws on over what lasts for less."""
    lines = [s for s in statements("device-detail") if s.kind == "timeseries" and not s.panel.get("maxDataPoints")]
    assert len(lines) == 4
    for line in lines:
        assert re.search(r"\$__timeGroupAlias\(time,(1m|\$__interval),NULL\)", line.sql), line.name
        assert line.panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] == 300_000, line.name


@pytest.mark.parametrize("uid", UIDS)
def test_what_grafana_fills_is_a_second_wide_at_least(uid):
    """It divides by whole seconds."""
    filled = [s for s in statements(uid) if re.search(r"timeGroupAlias\(.*\$__interval,", s.sql)]
    assert all(re.fullmatch(r"\d+[smh]", s.panel["interval"]) for s in filled)


@pytest.mark.parametrize("uid", UIDS)
def test_lists_are_read_once_since_grafana_then_drops_what_is_not_in_them(uid):
    assert all(variable["refresh"] == 1 for variable in query_variables(uid))


def test_the_device_asked_for_needs_no_list_to_be_in():
    assert [(v["name"], v["type"]) for v in variables("device-detail")] == [("device", "textbox"), ("metric", "query")]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_are_promql_about_metrics_that_are_exposed(expression):
    assert metrics(expression) <= exposed()


def test_late_records_are_shown_once_over_time_and_once_as_a_share():
    asked = [panel["title"] for panel in panels("pipeline-health") if "records_late" in str(panel["targets"])]
    assert asked == ["Out of order, late", "Share turned away"]
