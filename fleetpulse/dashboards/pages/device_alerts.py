"""IoT Device Alerts: how many, of which devices, since when, and are they over?"""

from fleetpulse.dashboards import looks
from fleetpulse.dashboards.dashboard import dashboard, row
from fleetpulse.dashboards.panels import BLUE, ORANGE, RED, YELLOW, bars, column, heatmap, stat, table, timeseries
from fleetpulse.dashboards.queries import Json, rows, series, several


def build() -> Json:
    """The dashboard that people look at first."""
    return dashboard(
        "device-alerts",
        "IoT Device Alerts",
        "Alerts by the time they were opened (event time, UTC). One alert is one silence or one excess, from its "
        "opening to its end.",
        since="now-24h",
        refresh="30s",
        variables=[
            several("site", "Site", "variables/site"),
            several("device", "Device", "variables/device"),
            several("kind", "Kind", "variables/kind"),
        ],
        rows=[
            row("At a glance", 4, (4, _OPEN), (4, _TOTAL), (4, _DEVICES), (6, _RECOVERY), (6, _SEVERITY)),
            row("Since when", 8, (16, _OVER_TIME), (8, _KIND)),
            row("Where", 9, (10, _TOP), (14, _HOURS)),
            row("Which", 13, (24, _RECENT)),
        ],
    )


_OPEN = stat(
    "Open now",
    "Alerts that have not ended, whenever they were opened. Many of one site at once: look at that site's gateway or "
    "network first. Many of all sites: look at Pipeline Health before you believe them.",
    rows("device-alerts/open-now"),
    limits=[(1, ORANGE), (50, RED)],
)
_TOTAL = stat(
    "Total alerts",
    "Different alerts opened in this time range, however many revisions each has. Compare with the same range of "
    "yesterday.",
    rows("device-alerts/total-alerts"),
    base=BLUE,
)
_DEVICES = stat(
    "Devices with alerts",
    "Different devices that opened an alert in this time range. Few devices with many alerts: see the top ten below.",
    rows("device-alerts/devices-with-alerts"),
    base=BLUE,
)
_RECOVERY = stat(
    "Time to recover",
    "From the opening of an alert to its recovery, of those that have recovered: half of them took no longer than the "
    "median, 95 % no longer than p95. A p95 of hours: devices wait for somebody to come.",
    rows("device-alerts/time-to-recover"),
    unit="s",
    limits=[(3600, YELLOW), (86400, ORANGE)],
    empty="none recovered",
    decimals=1,
)
_SEVERITY = bars(
    "By severity",
    "Alerts opened in this time range, by the severity they have now. Take the critical ones first.",
    rows("device-alerts/alerts-by-severity"),
    empty="no alerts",
)
_OVER_TIME = timeseries(
    "Alerts over time",
    "Alerts by the time they were opened, stacked by kind. A wall of one kind that begins at one instant is one "
    "cause: drag over it, and see below which devices it is.",
    series("device-alerts/alerts-over-time"),
    bars=True,
    points=120,
    interval="1m",
    empty="no alerts",
)
_KIND = bars(
    "By kind",
    "Alerts by kind. Inactivity: nothing comes from the device. Clock: its time is wrong. All others: what it sends "
    "breaks a rule "
    "(docs/rules.md).",
    rows("device-alerts/alerts-by-kind"),
    empty="no alerts",
)
_TOP = table(
    "Top 10 devices",
    "The devices that opened most alerts in this time range. One that leads by far flaps: its link is weak, or a "
    "limit is too near to what it measures. Follow the link to see what it sends.",
    rows("device-alerts/top-devices"),
    columns=[
        looks.device(),
        column("alerts", custom__cellOptions={"type": "gauge", "mode": "basic"}, unit="short", min=0),
        column("last_opened", "last opened", looks.TIME, custom__width=180),
    ],
    empty="no alerts",
)
_HOURS = heatmap(
    "Alerts by hour of day",
    "The last seven days, hour by hour (UTC). A line across the days is something that happens daily: a backup, a "
    "shift, a power saving plan. A column is one bad day.",
    series("device-alerts/alerts-by-hour"),
    unit="alerts",
    period="7d",
    axis="hour",
)
_RECENT = table(
    "Recent alerts",
    "The last 100 alerts opened in this time range, each as it is now. The summary says what is known; the device's "
    "link shows what it sent.",
    rows("device-alerts/recent-alerts"),
    columns=[
        looks.opened(),
        looks.severity,
        looks.state,
        looks.device(),
        looks.summary,
        looks.value,
        looks.limit,
        column("changed_at", "changed", looks.TIME, custom__width=180),
        column("rule_id", "rule"),
    ],
    empty="no alerts",
)
