"""S3, at Amazon or where its interface is spoken: Flink's library for it, and the settings that lead there."""

import os
import re

from fleetpulse.errors import ConfigurationError
from stack.artifacts import download, locked
from stack.layout import artifacts_dir

_ENDPOINT = "FLEETPULSE_S3_ENDPOINT"
_KEYS = {"s3.access-key": "AWS_ACCESS_KEY_ID", "s3.secret-key": "AWS_SECRET_ACCESS_KEY"}


def install() -> None:
    """Download the library where it is not there.

    Raises:
        FleetpulseError: it cannot be downloaded.
    """
    download(artifacts_dir(), [artifact for artifact in locked() if artifact.group == "s3"])


def check() -> None:
    """Refuse to start where the environment does not say enough.

    Raises:
        ConfigurationError: see `settings`.
    """
    settings()


def settings() -> dict[str, str]:
    """Flink's settings, from the environment. They hold a secret.

    Raises:
        ConfigurationError: a key is missing, or the endpoint is no URL.
    """
    missing = [name for name in _KEYS.values() if not os.environ.get(name)]
    if missing:
        raise ConfigurationError(f"a stack with s3 needs {' and '.join(missing)} in the environment when it starts")
    keys = {setting: os.environ[name] for setting, name in _KEYS.items()}
    endpoint = os.environ.get(_ENDPOINT)
    if not endpoint:
        return keys
    if not re.fullmatch(r"https?://[^\s/@]+/?", endpoint):
        # Not shown: it may hold a password.
        raise ConfigurationError(f"{_ENDPOINT}: expected a URL like http://127.0.0.1:9000, without user and path")
    # Only Amazon has a host name for each bucket.
    return keys | {"s3.endpoint": endpoint, "s3.path.style.access": "true"}
