"""An S3 server for tests, in this process."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from moto.server import ThreadedMotoServer
from pyarrow.fs import S3FileSystem


@dataclass(frozen=True)
class Store:
    """A running server; it takes any keys, and forgets all at its end."""

    address: str
    access_key: str = field(default_factory=lambda: secrets.token_hex(10))
    secret_key: str = field(default_factory=lambda: secrets.token_hex(20))

    @property
    def files(self) -> S3FileSystem:
        """Its buckets as folders."""
        return S3FileSystem(
            access_key=self.access_key,
            secret_key=self.secret_key,
            endpoint_override=self.address,
            scheme="http",
            allow_bucket_creation=True,
        )


@contextmanager
def running_store() -> Iterator[Store]:
    """A server on a free port of the loopback interface, that stacks started meanwhile write to; stopped at the end."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # else a line a request where a test fails
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        store = Store(f"{host}:{port}")
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("FLEETPULSE_S3_ENDPOINT", f"http://{store.address}")
            environment.setenv("AWS_ACCESS_KEY_ID", store.access_key)
            environment.setenv("AWS_SECRET_ACCESS_KEY", store.secret_key)
            yield store
    finally:
        server.stop()
