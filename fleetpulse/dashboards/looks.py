"""The common looks of all dashboards: severities, states, links between them."""

from fleetpulse.dashboards.panels import BLUE, GREEN, GREY, ORANGE, RED, YELLOW, column, link, mapped
from fleetpulse.dashboards.queries import Json

SEVERITIES = mapped([("critical", RED), ("warning", ORANGE), ("info", BLUE)])
STATES = mapped([("open", RED), ("updated", ORANGE), ("recovered", GREEN), ("cancelled", GREY), ("expired", YELLOW)])
WORD = {"type": "color-text"}

TIME = "dateTimeAsIso"

severity = column("severity", mappings=[SEVERITIES], custom__cellOptions=WORD, custom__width=90)
state = column("state", mappings=[STATES], custom__cellOptions=WORD, custom__width=100)
summary = column("summary", custom__minWidth=300)
value = column("value", unit="short", decimals=2)
limit = column("limit", unit="short", decimals=2)


def opened(title: str = "opened") -> Json:
    """When an alert was opened."""
    return column("time", title, TIME, custom__width=180)


def device() -> Json:
    """A device's id, which leads to its own dashboard."""
    go = link("Look at this device", "device-detail", "device", "__data.fields.device_id")
    return column("device_id", "device", links=[go], custom__width=180)
