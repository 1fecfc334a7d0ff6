"""Device Detail: what is with this one device?"""

from fleetpulse.dashboards import looks
from fleetpulse.dashboards.dashboard import dashboard, link_to, row
from fleetpulse.dashboards.panels import BLUE, RED, column, geomap, link, stat, table, timeseries
from fleetpulse.dashboards.queries import Json, annotation, one, rows, series, typed

_SILENCE = "5m"


def build() -> Json:
    """One device: its state, what it sent, its alerts, its place."""
    return dashboard(
        "device-detail",
        "Device Detail",
        "One device: that whose id is typed above, chosen in Devices, or led to by another dashboard.",
        since="now-6h",
        refresh="1m",
        variables=[
            typed("device", "Device"),
            one("metric", "Metric of windows", "variables/metric"),
        ],
        links=[link_to("This device among all alerts", "/d/device-alerts?var-device=${device:percentencode}")],
        annotations=[annotation("Alerts", "device-detail/marks", RED)],
        rows=[
            row("Now", 4, (4, _OPEN), (6, _LAST), (8, _PLACE), (6, _COUNT)),
            row("Open alerts", 6, (18, _OPEN_TABLE), (6, _DEVICES)),
            row("Readings", 8, (12, _CLIMATE), (12, _OTHERS)),
            row("More readings", 8, (8, _BATTERY), (8, _RATE), (8, _WINDOWS)),
            row("Alerts and places", 11, (16, _ALERTS), (8, _MAP)),
        ],
    )


_OPEN = stat(
    "Open alerts",
    "What this device has open now. Zero: it is well, as far as anybody knows.",
    rows("device-detail/open-alerts"),
    limits=[(1, RED)],
)
_LAST = stat(
    "Last reading",
    "When this device last measured something that is stored. Long ago with no alert open: readings are not archived, "
    "or the device has been forgotten after seven days.",
    rows("device-detail/last-reading"),
    unit="dateTimeFromNow",
    base=BLUE,
    empty="no reading stored",
)
_PLACE = stat(
    "Place",
    "Site, machine and zone, as the device last reported them. Go there.",
    rows("device-detail/place"),
    unit="none",
    base=BLUE,
    empty="unknown",
    text=True,
)
_COUNT = stat(
    "Alerts in this time range",
    "Different alerts of this device opened in this time range.",
    rows("device-detail/alerts-in-range"),
    base=BLUE,
)
_OPEN_TABLE = table(
    "Open alerts",
    "What is wrong now, in words, since when, and by which rule.",
    rows("device-detail/open-alerts-table"),
    columns=[
        looks.opened(),
        looks.severity,
        looks.summary,
        looks.value,
        looks.limit,
        column("changed_at", "changed", looks.TIME, custom__width=180),
        column("rule_id", "rule"),
    ],
    empty="Nothing is open",
)
_DEVICES = table(
    "Devices",
    "The next hundred that have readings stored, or alerts of this time range, from the id above on: type how it "
    "begins, or nothing for the first of all.",
    rows("device-detail/devices"),
    columns=[looks.device()],
    empty="None from this id on",
)
_CLIMATE = timeseries(
    "Temperature and humidity",
    "Means of each interval. A gap is a silence of five minutes or more; a flat line is a sensor that is stuck. Alerts "
    "are marked in red.",
    series("device-detail/temperature-and-humidity"),
    unit="celsius",
    interval="10s",
    overrides=[column("humidity", unit="humidity", custom__axisPlacement="right")],
    least=None,
    silence=_SILENCE,
    empty="No reading stored in this time range",
)
_OTHERS = timeseries(
    "Other metrics",
    "Whatever else the device measures, each in its own unit (docs/contracts.md).",
    series("device-detail/other-metrics"),
    interval="10s",
    least=None,
    silence=_SILENCE,
    empty="It measures nothing else",
)
_BATTERY = timeseries(
    "Battery",
    "Charge. A fall within hours is a battery at its end.",
    series("device-detail/battery"),
    unit="percent",
    limits=[(20, RED)],
    interval="10s",
    silence=_SILENCE,
    empty="It does not report its battery",
)
_RATE = timeseries(
    "Readings",
    "Readings in each interval. Fewer than usual without a gap: a weak link. Twice as many: it sends everything again.",
    series("device-detail/readings-count"),
    bars=True,
    points=60,
    interval="1m",
    empty="No reading stored in this time range",
)
_WINDOWS = timeseries(
    "${metric} by the minute",
    "Smallest, mean, p95 and largest value of each closed window of a minute.",
    series("device-detail/windows"),
    interval="1m",
    least=None,
    silence=_SILENCE,
    empty="No window of this metric in this time range",
)
_ALERTS = table(
    "History of its alerts",
    "Every revision of the alerts opened in this time range, newest first. Many of a minute each: it flaps.",
    rows("device-detail/alerts"),
    columns=[
        column(
            "time",
            "opened",
            looks.TIME,
            custom__width=180,
            links=[link("Among all alerts", "device-alerts", "device", "device")],
        ),
        column("changed_at", "changed", looks.TIME, custom__width=180),
        looks.state,
        looks.severity,
        looks.summary,
        looks.value,
        looks.limit,
        column("rule_id", "rule"),
        column("alert_id", "alert"),
    ],
    empty="No alerts in this time range",
)
_MAP = geomap(
    "Where it was",
    "The last 500 positions in this time range. The map's tiles come from the internet; without it only the points "
    "show.",
    rows("device-detail/map"),
    empty="It does not report its position",
)
