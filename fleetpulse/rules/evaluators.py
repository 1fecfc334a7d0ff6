"""The kinds of rules that look at readings: what each keeps of every device, and when its level changes."""

import math
import sys

from fleetpulse.records.rows import Due, Samples
from fleetpulse.rules.areas import EVERYWHERE_BOX, NOWHERE_BOX, contains, distance_m, inner_box, outer_box
from fleetpulse.rules.evaluator import Evaluator, Mask, OfOneMetric, switch
from fleetpulse.rules.levels import NONE, WARNING, LevelChange, Limits
from fleetpulse.rules.model import Battery, Circle, Deviation, Geofence, Missing, Polygon, Rate, Stuck, Threshold

_ALARM = Limits(above=(0.5, 0.5))  # of what is either so (1.0) or not (0.0)


class ThresholdEvaluator(OfOneMetric):
    """A value against limits."""

    def take(self, samples: Samples, mask: Mask, changes: list[LevelChange]) -> None:
        """Take the values."""
        rows, times_ms, devices, values, lowest, highest = samples
        high, low, runs, step = *outermost(self.tracker.limits), self.tracker.runs, self.tracker.step
        concerned = set(runs)
        if highest > high or lowest < low:
            concerned.update([devices[index] for index, value in enumerate(values) if value > high or value < low])
        if not concerned:
            return
        for index in [index for index, device in enumerate(devices) if device in concerned]:
            device, value = devices[index], values[index]
            if (value > high or value < low or device in runs) and (mask is None or mask[device]):
                step(rows[index], device, times_ms[index], value, changes)


class RateEvaluator(OfOneMetric):
    """How fast a value changes, from one reading to the next."""

    arrays = "qd"  # time and value of the last reading
    defaults = (-1, 0.0)

    def __init__(self, rule: int, metric: str, limits: Limits, hold_ms: int, per_ms: int) -> None:
        super().__init__(rule, metric, limits, hold_ms)
        self._per_ms = per_ms

    def take(self, samples: Samples, mask: Mask, changes: list[LevelChange]) -> None:
        """Take the values."""
        last_ms, last, per_ms = *self.columns, self._per_ms
        runs, least = self.tracker.runs, self.tracker.limits.above[0]
        for row, time_ms, device, value in samples.each():
            before_ms = last_ms[device]
            if time_ms > before_ms:
                rate = min(abs(value - last[device]) * per_ms / (time_ms - before_ms), sys.float_info.max)
                if (rate > least or device in runs) and before_ms >= 0 and (mask is None or mask[device]):
                    self.tracker.step(row, device, time_ms, rate, changes)
                last_ms[device], last[device] = time_ms, value


class StuckEvaluator(OfOneMetric):
    """A value that does not move."""

    arrays = "qd"  # since when, and at which value
    defaults = (-1, 0.0)

    def __init__(self, rule: int, metric: str, hold_ms: int, tolerance: float) -> None:
        super().__init__(rule, metric, _ALARM, 0)
        self._hold_ms, self._tolerance = hold_ms, tolerance

    def take(self, samples: Samples, mask: Mask, changes: list[LevelChange]) -> None:
        """Take the values."""
        since_ms, since, hold_ms, tolerance = *self.columns, self._hold_ms, self._tolerance
        runs = self.tracker.runs
        for row, time_ms, device, value in samples.each():
            began_ms = since_ms[device]
            if began_ms < 0 or abs(value - since[device]) > tolerance:
                since_ms[device], since[device] = time_ms, value
                if device in runs:
                    switch(self.tracker, changes, row, device, time_ms, False, value, None, time_ms)
            elif time_ms - began_ms >= hold_ms and device not in runs and (mask is None or mask[device]):
                switch(self.tracker, changes, row, device, time_ms, True, value, None, began_ms)


class MissingEvaluator(Evaluator):
    """A metric that a device no longer tells, though it speaks."""

    arrays = "q"  # when it was told last, or the device was first heard
    defaults = (-1,)

    def __init__(self, rule: int, metric: str, hold_ms: int) -> None:
        super().__init__(rule, metric, _ALARM, 0)
        self._hold_ms = hold_ms

    def feed(self, due: Due, mask: Mask, changes: list[LevelChange]) -> None:
        """Take due readings, those without the metric too."""
        rows, numbers, samples = due.rows, due.numbers, due.samples(self.metric)
        has = frozenset(samples.rows) if samples and len(samples.rows) < len(numbers) else None
        all_have = samples is not None and has is None
        [told_ms], runs, hold_ms = self.columns, self.tracker.runs, self._hold_ms
        if all_have and not runs:
            for time_ms, device in zip(rows.times_ms, numbers, strict=True):
                told_ms[device] = time_ms
        else:
            for row, (time_ms, device) in enumerate(zip(rows.times_ms, numbers, strict=True)):
                if all_have or (has is not None and row in has):
                    if device in runs:
                        silent_s = (time_ms - told_ms[device]) / 1000
                        switch(self.tracker, changes, row, device, time_ms, False, silent_s, hold_ms / 1000, time_ms)
                    told_ms[device] = time_ms
                elif told_ms[device] < 0:
                    told_ms[device] = time_ms
                elif time_ms - told_ms[device] >= hold_ms and device not in runs and (mask is None or mask[device]):
                    since_ms = told_ms[device]
                    silent_s = (time_ms - since_ms) / 1000
                    switch(self.tracker, changes, row, device, time_ms, True, silent_s, hold_ms / 1000, since_ms)
        if samples is not None:
            self.tell_first(samples, mask, changes)


class GeofenceEvaluator(Evaluator):
    """Where a device is. Of a circle the value is the distance from its middle, of a polygon 1 for outside."""

    def __init__(self, rule: int, area: Circle | Polygon, outside: bool, hold_ms: int) -> None:
        edge = area.radius_m if isinstance(area, Circle) else 0.5
        limits = Limits(above=(edge, edge)) if outside else Limits(below=(edge, edge))
        super().__init__(rule, "lat", limits, hold_ms)
        self._area = area
        # Within this box, or beyond that one, nothing has to be calculated.
        self._within = inner_box(area) if outside and isinstance(area, Circle) else NOWHERE_BOX
        self._beyond = EVERYWHERE_BOX if outside else outer_box(area)

    def feed(self, due: Due, mask: Mask, changes: list[LevelChange]) -> None:
        """Take due readings that tell both coordinates."""
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
            if calm and self.told is None and device not in runs:
                continue
            if self.told is not None and device not in self.told:
                self.told.add(device)
                changes.append(
                    LevelChange(row, self.rule, device, rows.times_ms[row], NONE, None, None, rows.times_ms[row])
                )
            if isinstance(area, Circle):
                value = distance_m(area.lat, area.lon, lat, lon)
            else:
                value = 0.0 if contains(area.corners, lat, lon) else 1.0
            if device in runs or limits.level(value, NONE):
                self.tracker.step(row, device, rows.times_ms[row], value, changes)


class DeviationEvaluator(OfOneMetric):
    """How far a value is from what is usual for its device, in standard deviations.

    Mean and variance are exponentially weighted, in the incremental form of T. Finch, "Incremental calculation of
    weighted mean and variance" (2009). Until a device is warmed up the weight is 1/n, so that its first values count
    alike. After that a value beyond three deviations counts as if it were three away: an outlier is not made usual.
    """

    arrays = "ddq"  # mean, variance, number of readings
    defaults = (0.0, 0.0, 0)
    _CLIP = 3.0

    def __init__(self, rule: int, limits: Limits, deviation: Deviation) -> None:
        super().__init__(rule, deviation.metric, limits, deviation.hold)
        self._weight, self._warm_up = deviation.weight, deviation.warm_up
        self._least = deviation.least_deviation

    def take(self, samples: Samples, mask: Mask, changes: list[LevelChange]) -> None:
        """Take the values."""
        means, variances, counts = self.columns
        weight, warm_up, runs, clip = self._weight, self._warm_up, self.tracker.runs, self._CLIP
        least, floor = self.tracker.limits.above[0], self._least * self._least
        suspicious = min(least, clip) ** 2
        for row, time_ms, device, value in samples.each():
            count, mean, variance = counts[device], means[device], variances[device]
            away = value - mean
            counts[device] = count + 1
            if count >= warm_up:
                share, spread = weight, variance if variance > floor else floor
                if away * away > suspicious * spread or device in runs:
                    sigma = math.sqrt(spread)
                    sigmas = abs(away) / sigma if sigma else (math.inf if away else 0.0)
                    if (sigmas > least or device in runs) and (mask is None or mask[device]):
                        self.tracker.step(row, device, time_ms, min(sigmas, 1e9), changes)
                    if sigmas > clip:
                        away = math.copysign(clip * sigma, away)
            else:
                share = max(weight, 1 / (count + 1))
            step = share * away
            means[device] = mean + step
            variances[device] = spread = (1 - share) * (variance + step * away)
            if spread - spread:  # not finite: nothing is usual for it any more, so begin anew
                means[device], variances[device], counts[device] = self.defaults


def outermost(limits: Limits) -> tuple[float, float]:
    """The limits between which nothing is wrong with a value."""
    return limits.above[WARNING - 1], limits.below[WARNING - 1]


Followed = Threshold | Battery | Rate | Stuck | Missing | Geofence | Deviation
"""Rules that look at readings themselves; the others look at these."""


def evaluator_of(index: int, rule: Followed) -> Evaluator:
    """What follows a rule; `index` is the rule's in its set."""
    match rule:
        case Threshold():
            limits = Limits.of(rule.above, rule.below, rule.hysteresis)
            return ThresholdEvaluator(index, rule.metric, limits, rule.hold)
        case Battery():
            return ThresholdEvaluator(index, "battery", Limits.of(None, rule.below, rule.hysteresis), rule.hold)
        case Rate():
            return RateEvaluator(index, rule.metric, Limits.of(rule.above), rule.hold, rule.per)
        case Stuck():
            return StuckEvaluator(index, rule.metric, rule.hold, rule.tolerance)
        case Missing():
            return MissingEvaluator(index, rule.metric, rule.hold)
        case Geofence():
            return GeofenceEvaluator(index, rule.area, rule.alert == "outside", rule.hold)
        case Deviation():
            return DeviationEvaluator(index, Limits.of(rule.sigmas), rule)
