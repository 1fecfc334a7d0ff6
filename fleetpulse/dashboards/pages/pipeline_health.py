"""Pipeline Health: does the system itself work?"""

from fleetpulse.dashboards.dashboard import dashboard, row
from fleetpulse.dashboards.pages.pipeline_jobs import CHECKPOINTS, PROGRESS, TURNED_AWAY, TURNED_AWAY_NOW, UP
from fleetpulse.dashboards.pages.pipeline_machines import BROKER, RESOURCES, STORING
from fleetpulse.dashboards.queries import Json


def build() -> Json:
    """From whether it is up, over whether it is behind, to why: read it from the top."""
    return dashboard(
        "pipeline-health",
        "Pipeline Health",
        "The system itself. Read from the top: what is down comes before what is behind, and that before what is full.",
        since="now-1h",
        refresh="30s",
        rows=[
            row("Is it up?", 5, *UP),
            row("Is it behind?", 8, *PROGRESS),
            row("Are checkpoints made?", 7, *CHECKPOINTS),
            row("What is turned away?", 8, *TURNED_AWAY),
            row("How much is turned away?", 4, *TURNED_AWAY_NOW),
            row("Does it arrive in the database?", 8, *STORING),
            row("Kafka", 7, *BROKER),
            row("Processor and memory", 8, *RESOURCES),
        ],
    )
