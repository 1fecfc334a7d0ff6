"""The kinds of rules, one file each. A kind that stands here is read, checked, evaluated and explained."""

from typing import get_args

from fleetpulse.rules.kinds.battery import Battery
from fleetpulse.rules.kinds.condition import Condition
from fleetpulse.rules.kinds.deviation import Deviation
from fleetpulse.rules.kinds.flapping import Flapping
from fleetpulse.rules.kinds.geofence import Geofence
from fleetpulse.rules.kinds.inactivity import Inactivity
from fleetpulse.rules.kinds.missing import Missing
from fleetpulse.rules.kinds.never_seen import NeverSeen
from fleetpulse.rules.kinds.rate import Rate
from fleetpulse.rules.kinds.stuck import Stuck
from fleetpulse.rules.kinds.threshold import Threshold
from fleetpulse.rules.rule import BaseRule

Rule = (
    Threshold | Battery | Rate | Stuck | Missing | Geofence | Deviation | Condition | Inactivity | NeverSeen | Flapping
)
KINDS: dict[str, type[BaseRule]] = {str(kind.__struct_config__.tag): kind for kind in get_args(Rule)}
