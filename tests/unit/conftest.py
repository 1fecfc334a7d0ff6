"""What many tests of commands need."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("fleetpulse", deadline=None)  # how long an example takes depends on what else runs
settings.load_profile("fleetpulse")


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of what takes connections as a broker does, and says nothing; KAFKA_BROKERS names it."""
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "FLEETPULSE_KAFKA_BOOTSTRAP_SERVERS"):
        monkeypatch.delenv(name, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("KAFKA_BROKERS", address)
        yield address
