"""What the benchmark of dashboards asks, and how it says what it took."""

from bench.filled import Contents
from bench.measurements.queries import SAMPLES, Timed, questions, table
from fleetpulse.dashboards.render import SQL


def test_every_statement_of_the_dashboards_is_asked_as_grafana_sends_it() -> None:
    asked = questions()
    assert asked.keys() - SAMPLES == {f"{file.parent.name}/{file.stem}" for file in SQL.glob("*/*.sql")}
    assert not [name for name, question in asked.items() if "$" in question]


def test_fifty_alerts_have_a_hundred_and_four_revisions() -> None:
    assert Contents(revisions=1_040).alerts == 500


def test_the_table_tells_the_median_and_the_worst() -> None:
    lines = table({"q": Timed([9.0, 1_200.0, 10.4], [10.0, 0.0, 10.0])}, {"alerts": 1_000}).splitlines()
    assert lines[0].startswith("1,000 rows of alerts; ")
    assert lines[-1] == "| q | 10 | 1,200 | 10 |"
