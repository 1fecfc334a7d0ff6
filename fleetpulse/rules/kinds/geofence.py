"""`geofence`: a device that leaves an area, or enters one."""

import math
from collections.abc import Iterator
from typing import Literal

from msgspec import field

from fleetpulse.durations import DurationMs
from fleetpulse.frames.rows import Due
from fleetpulse.numbers import exact
from fleetpulse.rules.areas import (
    EVERYWHERE_BOX,
    NOWHERE_BOX,
    Circle,
    Polygon,
    contains,
    distance_m,
    inner_box,
    outer_box,
)
from fleetpulse.rules.evaluator import Evaluator, Mask
from fleetpulse.rules.evidence import Check, Fields, limit_checks
from fleetpulse.rules.levels import NONE, LevelChange, Limits
from fleetpulse.rules.parts import Severity
from fleetpulse.rules.rule import Fault, FollowingRule
from fleetpulse.rules.sentences import lasting, measured


class Geofence(FollowingRule, frozen=True, kw_only=True, tag="geofence"):
    """A device that is outside an area, or inside."""

    area: Circle | Polygon
    alert: Literal["outside", "inside"] = "outside"
    hold: DurationMs = field(default_factory=DurationMs, name="for")
    severity: Severity = "warning"

    @property
    def unit(self) -> str | None:
        """Of a circle the value is a distance."""
        return "m" if isinstance(self.area, Circle) else None

    def faults(self, path: str) -> Iterator[Fault]:
        """What is wrong with its area."""
        area = self.area
        if isinstance(area, Circle) and not 0 < area.radius_m < math.inf:
            yield f"{path}.area.radius_m", f"{exact(area.radius_m)} is not a finite number above 0"
        corners = [(area.lat, area.lon)] if isinstance(area, Circle) else area.corners
        if isinstance(area, Polygon) and len(corners) < 3:
            yield f"{path}.area.corners", f"{len(corners)} corners make no area"
        if any(not (-90 <= lat <= 90 and -180 <= lon <= 180) for lat, lon in corners):
            yield f"{path}.area", "expected latitudes from -90 to 90 and longitudes from -180 to 180"

    def metrics(self, path: str) -> Iterator[tuple[str, str]]:
        """The coordinates."""
        yield from ((f"{path}.area", metric) for metric in ("lat", "lon"))

    def evaluator(self, index: int) -> "GeofenceEvaluator":
        """What follows its device's position."""
        return GeofenceEvaluator(index, self.area, self._limits(), self.hold)

    def _limits(self) -> Limits:
        edge = self.area.radius_m if isinstance(self.area, Circle) else 0.5
        return Limits(above=(edge, edge)) if self.alert == "outside" else Limits(below=(edge, edge))

    def describe(self, change: LevelChange) -> str:
        """Where it is, and how long."""
        return f"it is {self.alert} its area{self._how_far(change)}{lasting(change)}"

    def describe_recovery(self, change: LevelChange) -> str:
        """Where it is."""
        return f"it is no longer {self.alert} its area{self._how_far(change)}"

    def _how_far(self, change: LevelChange) -> str:
        return f", {measured(change, self.unit)} from its middle" if isinstance(self.area, Circle) else ""

    def checks(self, revision: Fields) -> Iterator[Check]:
        """Whether the value is on that side of the edge."""
        return limit_checks(revision, self._limits())


class GeofenceEvaluator(Evaluator):
    """Where a device is. Of a circle the value is the distance from its middle, of a polygon 1 for outside."""

    def __init__(self, rule: int, area: Circle | Polygon, limits: Limits, hold_ms: int) -> None:
        super().__init__(rule, "lat", limits, hold_ms)
        self._area = area
        outside = limits.above[0] < math.inf
        # Within this box, or beyond that one, nothing has to be calculated.
        self._within = inner_box(area) if outside and isinstance(area, Circle) else NOWHERE_BOX
        self._beyond = EVERYWHERE_BOX if outside else outer_box(area)

    def feed(self, due: Due, mask: Mask, changes: list[LevelChange]) -> None:
        """Take due readings that have both coordinates."""
        rows, numbers = due.rows, due.numbers
        lats, lons = rows.columns.get("lat"), rows.columns.get("lon")
        if lats is None or lons is None:
            return
        area, limits, runs = self._area, self.tracker.limits, self.tracker.runs
        (south, north, west, east), (low, high, left, right) = self._within, self._beyond
        for row, (lat, lon) in enumerate(zip(lats, lons, strict=True)):
            device = numbers[row]
            if lat is None or lon is None or not (mask is None or mask[device]):
                continue
            calm = (south < lat < north and west < lon < east) or not (low <= lat <= high and left <= lon <= right)
            if calm and self.known is None and device not in runs:
                continue
            if self.known is not None and device not in self.known:
                self.known.add(device)
                changes.append(
                    LevelChange(row, self.rule, device, rows.times_ms[row], NONE, None, None, rows.times_ms[row])
                )
            if isinstance(area, Circle):
                value = distance_m(area.lat, area.lon, lat, lon)
            else:
                value = 0.0 if contains(area.corners, lat, lon) else 1.0
            if device in runs or limits.level(value):
                self.tracker.step(row, device, rows.times_ms[row], value, changes)
