"""The errors people meet.

FleetpulseError          what went wrong and what to do, in one line; exit code 1
└── ConfigurationError   a setting or argument is unusable; exit code 2
"""

from collections.abc import Sequence


class FleetpulseError(Exception):
    """One line that says what went wrong and what to do about it.

    `faults` are printed before it, a line each, where there are several.
    """

    exit_code = 1
    faults: Sequence[str] = ()


class ConfigurationError(FleetpulseError):
    """A setting names its field, the value found and what is expected."""

    exit_code = 2
