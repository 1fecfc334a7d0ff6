"""Sensor Overview: does the fleet report, and what does it measure?"""

from fleetpulse.dashboards import looks
from fleetpulse.dashboards.dashboard import dashboard, row
from fleetpulse.dashboards.panels import BLUE, ORANGE, RED, YELLOW, column, stat, table, timeseries
from fleetpulse.dashboards.queries import Json, prom_now, rows, series, several

_METRIC = "flink_taskmanager_job_task_operator_fleetpulse_"


def build() -> Json:
    """The fleet as a whole, from the closed windows of one minute and the jobs' own figures."""
    return dashboard(
        "sensor-overview",
        "Sensor Overview",
        "The fleet by site, from closed windows of one minute: a value shows once its minute is over.",
        since="now-1h",
        refresh="1m",
        variables=[several("site", "Site", "variables/measured_site")],
        rows=[
            row("Fleet", 4, (4, _REPORTING), (4, _KNOWN), (4, _SILENT), (4, _ANOMALIES), (4, _READ), (4, _LAG)),
            row("Reporting", 8, (12, _DEVICES), (12, _VALUES)),
            row("Measured", 8, (8, _TEMPERATURE), (8, _HUMIDITY), (8, _BATTERY)),
            row("Sites and devices", 9, (14, _SITES), (10, _LOWEST)),
        ],
    )


_REPORTING = stat(
    "Devices that reported",
    "Different devices with a measured value in this time range. Fewer than you have: look for a site that is missing "
    "below.",
    rows("sensor-overview/devices-reporting"),
    base=BLUE,
)
_KNOWN = stat(
    "Devices known",
    "Devices that the job watches for silence, until they have been away for seven days.",
    prom_now(f"max(sum by (job_name) ({_METRIC}devices_known))"),
    base=BLUE,
    empty="no job",
)
_SILENT = stat(
    "Devices silent",
    "Known devices with an open alert of inactivity. See IoT Device Alerts for which they are.",
    prom_now(f"max(sum by (job_name) ({_METRIC}devices_silent))"),
    limits=[(1, ORANGE)],
    empty="no job",
)
_ANOMALIES = stat(
    "Open alerts on readings",
    "Rules that are broken right now, of all devices.",
    prom_now(f"max(sum by (job_name) ({_METRIC}anomalies_open))"),
    limits=[(1, ORANGE)],
    empty="no job",
)
_READ = stat(
    "Records read",
    "Records that the jobs read from Kafka each second. Zero with a fleet that lives: look at Pipeline Health.",
    prom_now("max(job_name:records_in:rate1m)"),
    unit="rps",
    base=BLUE,
    empty="no job",
)
_LAG = stat(
    "Behind by",
    "How far the jobs' time is behind the clock. Some seconds are normal; alerts come that much later.",
    prom_now("max(job_name:watermark_lag_seconds:max)"),
    unit="s",
    limits=[(15, YELLOW), (60, RED)],
    empty="no job",
)
_DEVICES = timeseries(
    "Devices reporting by site",
    "Different devices with a measured value, by site. A step down is a gateway or a network; a slope is batteries.",
    series("sensor-overview/devices-over-time"),
    interval="1m",
)
_VALUES = timeseries(
    "Values measured by metric",
    "Measured values each second, by metric. The last point may lack windows that are not closed yet.",
    series("sensor-overview/values-per-second"),
    unit="cps",
    interval="1m",
)
_TEMPERATURE = timeseries(
    "Temperature by site",
    "Mean of all values of a site. One site that leaves the others: its cooling, or one device far off; see the table.",
    series("sensor-overview/temperature"),
    unit="celsius",
    interval="1m",
    least=None,
)
_HUMIDITY = timeseries(
    "Humidity by site",
    "Mean of all values of a site. One that leaves the others: water, an open door, or one device far off.",
    series("sensor-overview/humidity"),
    unit="humidity",
    interval="1m",
)
_BATTERY = timeseries(
    "Lowest battery by site",
    "The lowest charge of any device of a site. Below 20 %: plan a visit, see the list below.",
    series("sensor-overview/battery"),
    unit="percent",
    limits=[(20, YELLOW)],
    interval="1m",
    empty="No device reports its battery",
)
_SITES = table(
    "Sites",
    "Each site in this time range. A last window of long ago: nothing comes from that site any more.",
    rows("sensor-overview/sites"),
    columns=[
        column("devices", unit="short"),
        column("temperature", unit="celsius", decimals=1),
        column("humidity", unit="humidity", decimals=1),
        column("battery", "lowest battery", "percent", decimals=0),
        column("last_window", "last window", looks.TIME),
    ],
)
_LOWEST = table(
    "Lowest batteries",
    "The ten devices whose last charge in this time range is lowest. Change these first.",
    rows("sensor-overview/lowest-batteries"),
    columns=[
        looks.device(),
        column("battery", unit="percent", decimals=0),
        column("measured", unit=looks.TIME, custom__width=180),
    ],
    empty="No device reports its battery",
)
