"""Several truths about one fleet."""

from generator.fleet.plan import Reading
from generator.payloads.stream import Observer


class Together:
    """Several truths about the same readings."""

    def __init__(self, *truths: Observer) -> None:
        self._truths = truths

    def observe(self, reading: Reading) -> None:
        """Take in a reading, each of them."""
        for truth in self._truths:
            truth.observe(reading)
