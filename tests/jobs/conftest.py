"""A Flink for the tests of this folder: the stack's Java, libraries and configuration, in this process."""

import os

import pytest

from fleetpulse.stack.layout import Layout, project_root
from fleetpulse.stack.programs import flink


@pytest.fixture(scope="session", autouse=True)
def local_flink(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let PyFlink's gateway start with what the stack runs on, whatever the machine has."""
    layout = Layout(tmp_path_factory.mktemp("flink"))
    layout.logs.mkdir()
    flink.prepare(layout)
    # Workers import the code of this checkout, wherever the virtual environment belongs to.
    os.environ.update(flink.environment(layout), PYTHONPATH=str(project_root()))
    # Jobs are assembled and not run: nothing is connected to.
    os.environ.update(KAFKA_BROKERS="broker:9092", FLEETPULSE_DATABASE_URL="postgresql://db/monitoring")
