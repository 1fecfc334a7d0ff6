"""Files named by settings: a file that cannot be read is an error of one line."""

from pathlib import Path

from fleetpulse.errors import ConfigurationError


def read_bytes(file: Path, setting: str) -> bytes:
    """Read a file that a setting names.

    Raises:
        ConfigurationError: it cannot be read; names the setting and the reason.
    """
    try:
        return file.read_bytes()
    except OSError as failed:
        raise ConfigurationError(f"{setting}: {file} cannot be read: {failed.strerror or failed}") from None


def read_text(file: Path, setting: str) -> str:
    """Read a text file in UTF-8 that a setting names.

    Raises:
        ConfigurationError: it cannot be read; names the setting and the reason.
    """
    try:
        return read_bytes(file, setting).decode()
    except UnicodeDecodeError as bad:
        raise ConfigurationError(f"{setting}: {file} is not UTF-8, from byte {bad.start} on") from None
