"""S3: a server of the stack's own, or one elsewhere that the environment names; and Flink's library for it."""

import os
import re
from pathlib import Path

from fleetpulse.errors import ConfigurationError
from fleetpulse.stack.install.artifacts import download, jars, locked
from fleetpulse.stack.install.disk import write_private
from fleetpulse.stack.install.wheels import java_home
from fleetpulse.stack.layout import Layout, artifacts_dir
from fleetpulse.stack.passwords import password
from fleetpulse.stack.programs.program import Program

BUCKET = "sensor-cold"
ACCESS_KEY, SECRET_KEY = "s3_access_key", "s3_secret_key"  # files of the stack's secrets

_ENDPOINT = "FLEETPULSE_S3_ENDPOINT"
_KEYS = {"s3.access-key": "AWS_ACCESS_KEY_ID", "s3.secret-key": "AWS_SECRET_ACCESS_KEY"}
_SERVER = "s3-server"


def is_elsewhere() -> bool:
    """Whether the environment names a store, so that the stack has to run none."""
    return any(os.environ.get(name) for name in (*_KEYS.values(), _ENDPOINT))


def check(stack: Layout) -> None:
    """Refuse to start where the environment does not say enough.

    Raises:
        ConfigurationError: see `settings`.
    """
    if is_elsewhere():
        settings(stack)


def install() -> None:
    """Download Flink's library, and the server where it will run, where they are not there.

    Raises:
        FleetpulseError: they cannot be downloaded.
    """
    groups = ("s3",) if is_elsewhere() else ("s3", _SERVER)
    download(artifacts_dir(), [artifact for artifact in locked() if artifact.group in groups])


def prepare(stack: Layout) -> None:
    """Write the server's configuration, unless the store is elsewhere; its bucket is a folder."""
    if is_elsewhere():
        return
    bucket = _data(stack) / BUCKET
    bucket.mkdir(parents=True, exist_ok=True)
    bucket.chmod(0o700)  # a folder that others may read is a bucket that everybody may
    lines = [f"{name}={value}\n" for name, value in properties(stack).items()]
    write_private(_properties_file(stack), "".join(lines))


def properties(stack: Layout) -> dict[str, str]:
    """The server's configuration. It holds a secret."""
    return {
        "s3proxy.endpoint": f"http://{stack.address('s3')}",
        "s3proxy.authorization": "aws-v2-or-v4",
        "s3proxy.identity": password(stack, ACCESS_KEY),
        "s3proxy.credential": password(stack, SECRET_KEY),
        "jclouds.provider": "filesystem",
        "jclouds.filesystem.basedir": str(_data(stack)),
    }


def runs_here(stack: Layout) -> bool:
    """Whether this stack was started with a server of its own."""
    return _properties_file(stack).exists()


def programs(stack: Layout) -> list[Program]:
    """How to run the server, where there is one."""
    if not runs_here(stack):
        return []
    [jar] = jars(_SERVER)
    java = (str(java_home() / "bin" / "java"), "-Xmx256m", f"-Djava.io.tmpdir={stack.tmp}")
    command = (*java, "-jar", str(jar), "--properties", str(_properties_file(stack)))
    return [Program("s3", command, "s3", {"LOG_LEVEL": "warn"})]


def answers(stack: Layout) -> dict[str, str]:
    """What answers once the server is ready."""
    return {"s3": f"http://{stack.address('s3')}/healthz"} if runs_here(stack) else {}


def reached_at(stack: Layout) -> dict[str, str]:
    """Where it is, for people."""
    here = f"http://{stack.address('s3')}, bucket {BUCKET}, keys in {stack.secrets}"
    return {"S3": here} if runs_here(stack) else {}


def settings(stack: Layout) -> dict[str, str]:
    """Flink's settings for the stack's own server, or for the one that the environment names. They hold a secret.

    Raises:
        ConfigurationError: a key is missing, or the endpoint is no URL.
    """
    if not is_elsewhere():
        keys = {"s3.access-key": password(stack, ACCESS_KEY), "s3.secret-key": password(stack, SECRET_KEY)}
        return keys | _at(f"http://{stack.address('s3')}")
    missing = [name for name in _KEYS.values() if not os.environ.get(name)]
    if missing:
        raise ConfigurationError(
            f"a stack with s3 needs {' and '.join(missing)} in the environment when it starts; "
            f"with none of {', '.join((*_KEYS.values(), _ENDPOINT))} it runs a server of its own"
        )
    keys = {setting: os.environ[name] for setting, name in _KEYS.items()}
    endpoint = os.environ.get(_ENDPOINT)
    if not endpoint:
        return keys
    if not re.fullmatch(r"https?://[^\s/@]+/?", endpoint):
        # Not shown: it may hold a password.
        raise ConfigurationError(f"{_ENDPOINT}: expected a URL like http://127.0.0.1:9000, without user and path")
    return keys | _at(endpoint)


def _at(endpoint: str) -> dict[str, str]:
    """Only Amazon has a host name for each bucket."""
    return {"s3.endpoint": endpoint, "s3.path.style.access": "true"}


def _data(stack: Layout) -> Path:
    return stack.data / "s3"


def _properties_file(stack: Layout) -> Path:
    return stack.run / "s3.properties"
