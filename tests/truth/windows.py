"""The tumbling windows that must result, computed from what was generated and not by any job's code.

A window is half-open and aligned to the epoch. Readings on time count, a duplicate twice.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from generator.fleet.plan import Reading
from generator.payloads.dialects import meter
from generator.scenario import Scenario
from tests.truth.values import ON_TIME, ORDER_DEPENDENT


class Window(NamedTuple):
    """What one device measured of one metric in one window; times are epoch ms."""

    device_id: str
    metric: str
    start_ms: int
    end_ms: int  # the first instant after it
    readings: int
    sum: float  # exact, rounded once
    min: float
    max: float
    avg: float
    last: float  # of the highest time
    p95: float  # the smallest value that 95 % of all are not above


class WindowTruth:
    """Follows the values of a fleet and tells each window once its device has measured something after it.

    Memory: the values of one window a device and metric.

    Attributes:
        order_dependent: devices whose outcome depends on when their records arrive; theirs is not told for certain.
    """

    def __init__(self, scenario: Scenario, width_ms: int, tell: Callable[[Window], object]) -> None:
        self.order_dependent: set[str] = set()
        self._width_ms, self._tell, self._measure = width_ms, tell, meter(scenario)
        self._open: dict[tuple[str, str], tuple[int, list[float]]] = {}  # number of the window, values

    def observe(self, reading: Reading) -> None:
        """Take in a reading. They come in the order in which they were taken, however late they are sent."""
        if reading.fault in ORDER_DEPENDENT:
            self.order_dependent.add(reading.device_id)
        for _ in range(ON_TIME.get(reading.fault, 0)):
            self.measured(reading.device_id, reading.time_ms, self._measure(reading))

    def measured(self, device_id: str, time_ms: int, metrics: Mapping[str, float]) -> None:
        """Take in what a device measured at `time_ms` (epoch ms). A device's readings come in ascending order."""
        number = time_ms // self._width_ms
        for metric, value in metrics.items():
            key = device_id, metric
            if key in self._open and self._open[key][0] == number:
                self._open[key][1].append(value)
                continue
            if key in self._open:
                self._tell(self._window(*key))
            self._open[key] = number, [value]

    def close(self, until_ms: int) -> None:
        """Tell the windows that are over when `until_ms` (epoch ms) is; later ones, told before, are not certain."""
        for key, (number, _) in self._open.items():
            if (number + 1) * self._width_ms <= until_ms + 1:
                self._tell(self._window(*key))

    def _window(self, device_id: str, metric: str) -> Window:
        number, values = self._open[device_id, metric]
        start_ms, total, ranked = number * self._width_ms, math.fsum(values), sorted(values)
        return Window(
            device_id=device_id,
            metric=metric,
            start_ms=start_ms,
            end_ms=start_ms + self._width_ms,
            readings=len(values),
            sum=total,
            min=ranked[0],
            max=ranked[-1],
            avg=total / len(values),
            last=values[-1],
            p95=ranked[(19 * len(values) + 19) // 20 - 1],
        )
