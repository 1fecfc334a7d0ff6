"""A panel's SQL as Grafana would send it, for tests and benchmarks. Grafana itself does this in production."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ALL = "NULL"  # what `All` puts into a query, as it stands: see allValue of the dashboards' variables
SQL = Path(__file__).parent / "sql"

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_MACRO = re.compile(r"\$__(\w+)\(([^)]*)\)")
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION = re.compile(r"(\d+)(ms|[smhdw])")


@dataclass(frozen=True)
class View:
    """The time range and variables of a view.

    Attributes:
        since: the beginning of the time range.
        until: its end.
        interval: the width of a point in time series, as Grafana writes it: `30s`, `1m`, `2h`.
        variables: by name: a text for a variable of one value, a sequence for one of several, None for `All`.
    """

    since: datetime
    until: datetime
    interval: str = "1m"
    variables: Mapping[str, str | Sequence[str] | None] = field(default_factory=dict)


def render(sql: str, view: View) -> str:
    """The statement that Grafana sends for a panel or a variable: first its variables are put in, then its macros."""
    filled = _VARIABLE.sub(lambda found: _value(view.variables[found[1]]), sql)
    filled = filled.replace("$__interval_ms", str(_milliseconds(view.interval))).replace("$__interval", view.interval)
    return _MACRO.sub(lambda found: _macro(found[1], [part.strip() for part in found[2].split(",")], view), filled)


def _value(value: str | Sequence[str] | None) -> str:
    # As the PostgreSQL data source does. `:sqlstring` is MySQL's way: it puts a backslash before a double quote.
    if value is None:
        return ALL
    if isinstance(value, str):
        return _doubled(value)
    return ",".join(f"'{_doubled(one)}'" for one in value)


def _doubled(text: str) -> str:
    return text.replace("'", "''")


def _macro(name: str, arguments: list[str], view: View) -> str:
    since, until = _instant(view.since), _instant(view.until)
    match name, arguments:
        case "timeFilter", [column]:
            return f"{column} BETWEEN {since} AND {until}"
        case "timeFrom", [""]:
            return since
        case "timeTo", [""]:
            return until
        case "timeGroupAlias", [column, width, *_]:  # a third one fills gaps, once the rows are there
            return f'floor(extract(epoch from {column})/{_seconds(width)})*{_seconds(width)} AS "time"'
    raise ValueError(f"no such macro here: $__{name}({', '.join(arguments)})")


def _instant(moment: datetime) -> str:
    return f"'{moment.astimezone(UTC).isoformat().replace('+00:00', 'Z')}'"


def _seconds(duration: str) -> str:
    return f"{_milliseconds(duration) / 1000:g}"


def _milliseconds(duration: str) -> int:
    found = _DURATION.fullmatch(duration)
    if not found:
        raise ValueError(f"no duration: {duration}")
    return int(found[1]) * _UNITS_MS[found[2]]
