"""Cold storage in an object store, which finishes files in its own way."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.embedded import EmbeddedStack, running_stack
from tests.e2e.stores import Store, running_store
from tests.e2e.test_cold import Cold

pytestmark = pytest.mark.e2e

COUNT = 5_000


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with running_store() as running:
        running.files.create_dir("cold")
        yield running


@pytest.fixture(scope="module")
def own(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """A stack that reaches the store: Flink has to know it when it starts."""
    with running_stack(tmp_path_factory.mktemp("stack"), frozenset({"s3"})) as running:
        yield running


def test_every_record_is_in_the_bucket_once_and_the_secret_nowhere(own: EmbeddedStack, store: Store) -> None:
    cold = Cold(own, "s3://cold/telemetry", store.files)
    with cold.running():
        cold.write(0, COUNT)
        cold.wait_for(COUNT)
    cold.must_have(COUNT)
    assert files_with(store.secret_key, own.dir / "logs") == []
    assert store.secret_key not in requests.get(f"http://{own.flink_rest}/jobmanager/config", timeout=10).text
    assert {stat.S_IMODE(file.stat().st_mode) for file in files_with(store.secret_key, own.dir / "run")} == {0o600}


def files_with(secret: str, folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
