"""The inactivity job on a local Flink: the same alerts, whatever the order, the batches, the subtasks or the shards.

Sources and sinks are not Kafka's: records come from a file, in the order in which they arrive, and leave as rows.
"""

import json
import random
import sys
from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import pytest
from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment

from fleetpulse.cli.settings import parse
from fleetpulse.times import iso
from generator.payloads.records import Record
from generator.payloads.stream import records
from generator.scenario import Scenario
from generator.truth.alerts import Revision, Truth
from generator.truth.file import lines
from jobs.inactivity import DECISIONS
from jobs.wiring.arguments import Settings
from jobs.wiring.crossing import process_by_shard, shard_keys
from jobs.wiring.deciding import Plan, plan
from jobs.wiring.running import environment
from jobs.wiring.telemetry import ITEM_TYPE, frames_by_shard
from tests.jobs.recorded import read_records, write_records
from udfs.deciding import RECORD_TYPE, Decide

pytestmark = pytest.mark.jobs

PARTITIONS = 3
BOUND_MS = 2_000
SCENARIO = Scenario(
    seed=7,
    devices=100,
    interval_ms=1_000,
    start_ms=1_767_225_600_000,
    duration_ms=200_000,
    failure_probability=0.5,
    out_of_order_rate=0.05,
    duplicate_rate=0.02,
    malformed_rate=0.01,
    clock_ahead_devices=1,
    timeout_ms=20_000,
    period_ms=10_000,
    bound_ms=BOUND_MS,
)
UNTIL_MS = SCENARIO.end_ms - 5_000  # the last watermark of every run is later
# A job that fails ends the test, and its Python is this one.
LOCAL = {"restart-strategy.type": "none", "python.executable": sys.executable}
SETTINGS = ("--bounded", "--timeout.ms", "20000", "--evaluation.period.ms", "10000")

Alert = tuple[str, int, str, str, str]
alert_of = itemgetter("alert_id", "revision", "state", "opened_at", "changed_at")


class Simulated(NamedTuple):
    """Records in the order in which they were sent, and what must become of them."""

    sent: list[Record]
    alerts: list[Alert]
    rejected: int


@pytest.fixture(scope="module")
def simulated() -> Simulated:
    told: list[Revision] = []
    truth = Truth(SCENARIO, told.append)
    sent = list(records(SCENARIO, truth))
    truth.close(UNTIL_MS)
    _header, *expected = lines(SCENARIO, truth, told, UNTIL_MS, len(sent))
    return Simulated(sent, sorted(map(alert_of, expected)), truth.rejected.total())


def shuffled(sent: Iterable[Record], seed: int) -> list[Record]:
    """The records in another order of arrival, none of them later than the bound allows."""
    chance = random.Random(seed)
    return sorted(sent, key=lambda record: record.timestamp_ms + chance.uniform(0, BOUND_MS))


@pytest.mark.parametrize(
    ("seed", "arguments"),
    [
        pytest.param(None, ["--parallelism", "1"], id="as sent"),
        pytest.param(1, ["--parallelism", "3", "--shards", "5", "--batch.size", "97"], id="small batches"),
        pytest.param(2, ["--parallelism", "2", "--shards", "1", "--batch.size", "1000"], id="one shard"),
    ],
)
def test_the_same_records_give_the_same_alerts(
    simulated: Simulated, tmp_path: Path, seed: int | None, arguments: list[str]
) -> None:
    arriving = simulated.sent if seed is None else shuffled(simulated.sent, seed)
    written = run(arriving, tmp_path, *arguments)
    alerts = [alert_of(json.loads(value)) for topic, value in written if topic == "alerts"]
    assert sorted(alert for alert in alerts if alert[-1] <= iso(UNTIL_MS)) == simulated.alerts
    topics = [topic for topic, _ in written]
    assert (topics.count("telemetry.late"), topics.count("telemetry.dlq")) == (0, simulated.rejected)


def run(arriving: Iterable[Record], folder: Path, *arguments: str) -> list[tuple[str, str | None]]:
    """What the job writes when these records arrive: topics and values, those that are not alerts without the value."""
    given = [*SETTINGS, "--checkpoint.dir", folder.as_uri(), *arguments]
    job = plan(DECISIONS, parse(Settings, given, DECISIONS.without), PARTITIONS)
    tables = StreamTableEnvironment.create(environment({**job.flink, **LOCAL}))
    [topic] = job.source.topics
    write_records(folder / "records.json", arriving, topic, PARTITIONS)
    read_records(tables, folder / "records.json", job.source.out_of_orderness_ms)
    tables.create_temporary_view("decided", tables.from_data_stream(decided(tables, job)))
    texts = "SELECT `topic`, CASE WHEN `topic` = 'alerts' THEN CAST(`value` AS STRING) END AS `value` FROM decided"
    with tables.to_data_stream(tables.sql_query(texts)).execute_and_collect() as rows:
        return [(topic, value) for topic, value in rows]


def decided(tables: StreamTableEnvironment, job: Plan) -> DataStream:
    """The job from the table `telemetry` on, up to what leaves; see `jobs.wiring.deciding.decide`."""
    keys = shard_keys(job.policy.shards)
    items = frames_by_shard(tables, job.source, keys, job.policy.measured)
    return process_by_shard(items, ITEM_TYPE, Decide(job.policy, job.output_topics, keys), RECORD_TYPE)
