"""End-to-End Latency: how long from an event to its alert in the database, and where does the time go?"""

from fleetpulse.dashboards import looks
from fleetpulse.dashboards.dashboard import dashboard, row
from fleetpulse.dashboards.panels import ORANGE, RED, YELLOW, column, stat, table, text, timeseries
from fleetpulse.dashboards.queries import Json, prom, rows, series

_SLOW = [(10, YELLOW), (60, RED)]

_WORDS = """
| stage | from | to | made of |
| --- | --- | --- | --- |
| **event to detected** | the reading's time, or the instant that found silence | `detected_at`: the job's clock | \
the way to Kafka, the wait for late records (2 s unless set), bundles |
| **detected to stored** | `detected_at` | `stored_at`: the database's clock | \
the next checkpoint (1 to 10 s), Kafka, Vector or the archive job, the insert |
| **event to stored** | the time of the event | `stored_at` | both |

**Event to detected** is long: time trails or stands still. See *watermark delay*: a partition without records, \
a backlog, or the grace after an outage of ours.

**Detected to stored** is long: checkpoints are slow, or what writes to the database is behind. See *Pipeline Health*.

Clocks of different machines are compared: a negative value is a clock that is wrong.
"""


def build() -> Json:
    """Event to alert, stage by stage."""
    return dashboard(
        "end-to-end-latency",
        "End-to-End Latency",
        "Revisions of alerts by the time of their event. A replay of old records shows the age of the records, not a "
        "fault.",
        since="now-15m",
        refresh="30s",
        rows=[
            row("Event to stored", 5, (9, _TOTAL), (15, _STAGES)),
            row("Over time", 9, (12, _OVER_TIME), (12, _BY_STAGE)),
            row("The stages", 9, (12, _EXPLAINED), (12, _WATERMARK)),
            row("Readings and windows", 8, (12, _READINGS), (12, _WINDOWS)),
            row("The slowest", 9, (24, _SLOWEST)),
        ],
    )


_TOTAL = stat(
    "Event to stored",
    "From the event to its alert in the database. With checkpoints every 10 s a median of some 8 s is normal, with 1 "
    "s some 3 s.",
    rows("end-to-end-latency/event-to-stored"),
    unit="s",
    limits=_SLOW,
    empty="no alerts",
    decimals=1,
)
_STAGES = table(
    "Stages",
    "Each stage by itself. The one whose p95 is large is where to look: the text below says what it is made of.",
    rows("end-to-end-latency/stages"),
    columns=[
        column("revisions", unit="short"),
        *(column(name, unit="s", decimals=1) for name in ("median", "p95", "p99", "slowest")),
    ],
    empty="no alerts",
)
_OVER_TIME = timeseries(
    "Event to stored over time",
    "A saw-tooth is checkpoints. A slope is a backlog that grows. A single peak is a restart: see Pipeline Health.",
    series("end-to-end-latency/total-over-time"),
    unit="s",
    limits=_SLOW,
    interval="10s",
    empty="no alerts",
)
_BY_STAGE = timeseries(
    "p95 by stage",
    "Which stage takes the time, and since when.",
    series("end-to-end-latency/stages-over-time"),
    unit="s",
    interval="10s",
    empty="no alerts",
)
_EXPLAINED = text("What the stages are", "The names of the stages, and what makes each of them long.", _WORDS.strip())
_WATERMARK = timeseries(
    "Watermark delay",
    "How far each job's time is behind the clock, its slowest subtask. It holds every decision back: a line that "
    "rises as fast as the clock is a partition that stands still, or a job that is down.",
    prom("job_name:watermark_lag_seconds:max", "{{job_name}}"),
    unit="s",
    limits=[(15, YELLOW), (60, RED)],
    empty="no job",
)
_READINGS = timeseries(
    "Reading to stored",
    "From the time of a reading to its row. Long while alerts are quick: the archive of readings is behind.",
    series("end-to-end-latency/readings"),
    unit="s",
    limits=[(30, ORANGE)],
    interval="10s",
    empty="no readings stored",
)
_WINDOWS = timeseries(
    "Window's end to stored",
    "From the end of a window to its row: the bound for late records, a checkpoint, the way to the database.",
    series("end-to-end-latency/windows"),
    unit="s",
    limits=[(60, ORANGE)],
    interval="1m",
    empty="no windows stored",
)
_SLOWEST = table(
    "Slowest alerts",
    "The 20 revisions that took longest. Several devices at one instant: the pipeline. One device again and again: "
    "its own clock or link.",
    rows("end-to-end-latency/slowest-alerts"),
    columns=[
        looks.opened("event"),
        looks.device(),
        looks.state,
        *(
            column(name, name.replace("_", " "), "s", decimals=1)
            for name in ("event_to_detected", "detected_to_stored", "event_to_stored")
        ),
        looks.summary,
    ],
    empty="no alerts",
)
