"""The tumbling windows that must result, computed from what was generated and not by any job's code.

A window is half-open and aligned to the epoch. Readings on time count, a duplicate twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generator.dialects import meter
from generator.plan import Reading
from generator.scenario import Scenario
from generator.truth_values import ON_TIME, ORDER_DEPENDENT


@dataclass(slots=True)
class Window:
    """What one device measured of one metric in one window; times are epoch ms."""

    device_id: str
    metric: str
    start_ms: int
    end_ms: int  # the first instant after it
    count: int
    sum: float
    min: float
    max: float
    last: float  # of the highest time

    @property
    def avg(self) -> float:
        """The mean."""
        return self.sum / self.count


class WindowTruth:
    """Follows the values of a fleet and tells each window once its device has measured something after it.

    Memory: one window a device and metric.

    Attributes:
        order_dependent: devices whose outcome depends on when their records arrive; theirs is not told for certain.
    """

    def __init__(self, scenario: Scenario, width_ms: int, tell: Callable[[Window], object]) -> None:
        self.order_dependent: set[str] = set()
        self._width_ms, self._tell, self._measure = width_ms, tell, meter(scenario)
        self._open: dict[tuple[str, str], Window] = {}

    def observe(self, reading: Reading) -> None:
        """Take in a reading. They come in the order in which they were taken, however late they are sent."""
        if reading.fault in ORDER_DEPENDENT:
            self.order_dependent.add(reading.device_id)
        for _ in range(ON_TIME.get(reading.fault, 0)):
            self.measured(reading.device_id, reading.time_ms, self._measure(reading))

    def measured(self, device_id: str, time_ms: int, metrics: Mapping[str, float]) -> None:
        """Take in what a device measured at `time_ms` (epoch ms). A device's readings come in ascending order."""
        for metric, value in metrics.items():
            window = self._open.get((device_id, metric))
            if window is None or time_ms >= window.end_ms:
                if window is not None:
                    self._tell(window)
                start_ms = time_ms // self._width_ms * self._width_ms
                end_ms = start_ms + self._width_ms
                self._open[device_id, metric] = Window(
                    device_id, metric, start_ms, end_ms, 1, value, value, value, value
                )
                continue
            window.count += 1
            window.sum += value
            window.min, window.max, window.last = min(window.min, value), max(window.max, value), value

    def close(self, until_ms: int) -> None:
        """Tell the windows that are over when `until_ms` (epoch ms) is; later ones, told before, are not certain."""
        for window in self._open.values():
            if window.end_ms <= until_ms + 1:
                self._tell(window)
