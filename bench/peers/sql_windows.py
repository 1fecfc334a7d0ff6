"""Windows in Flink SQL alone, on typed JSON: no Python at run time, no dialects, nothing rejected or reported late.

flink run -py bench/peers/sql_windows.py --brokers … --topic … --windows …
"""

import argparse

from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

METRICS = ("temperature_c", "humidity", "lat", "lon")

SOURCE = """
CREATE TABLE telemetry (
    `device_id` STRING,
    {metrics},
    `event_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
    WATERMARK FOR `event_time` AS `event_time` - INTERVAL '2.001' SECOND
) WITH (
    'connector' = 'kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{brokers}',
    'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'format' = 'json'
)
"""
SINK = """
CREATE TABLE windows (`window_end_ms` BIGINT, `device_id` STRING, {metrics}) WITH (
    'connector' = 'kafka', 'topic' = '{windows}', 'properties.bootstrap.servers' = '{brokers}', 'format' = 'json',
    'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = '{windows}',
    'properties.transaction.timeout.ms' = '900000'
)
"""
QUERY = """
INSERT INTO windows
SELECT TIMESTAMPDIFF(SECOND, TO_TIMESTAMP_LTZ(0, 3), window_time) * CAST(1000 AS BIGINT) + 1000, `device_id`, {metrics}
FROM TABLE(TUMBLE(TABLE telemetry, DESCRIPTOR(`event_time`), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, window_time, `device_id`
"""
_SUMMED_UP = "COUNT(`{0}`), SUM(`{0}`), MIN(`{0}`), MAX(`{0}`), AVG(`{0}`)"
_COLUMNS = "`{0}_count` BIGINT, `{0}_sum` DOUBLE, `{0}_min` DOUBLE, `{0}_max` DOUBLE, `{0}_avg` DOUBLE"


def _for_each_metric(template: str) -> str:
    return ", ".join(map(template.format, METRICS))


def main() -> None:
    """Submit the job; it ends where the topic ends now."""
    parser = argparse.ArgumentParser()
    for name in ("--brokers", "--topic", "--windows"):
        parser.add_argument(name, required=True)
    arguments = vars(parser.parse_args())

    settings = Configuration()
    for key, value in {
        "parallelism.default": "2",
        "execution.runtime-mode": "STREAMING",
        "execution.checkpointing.interval": "10 s",
        "pipeline.name": "bench SQL windows",
        "table.local-time-zone": "UTC",
    }.items():
        settings.set_string(key, value)
    tables = TableEnvironment.create(EnvironmentSettings.new_instance().with_configuration(settings).build())
    tables.execute_sql(SOURCE.format(metrics=_for_each_metric("`{0}` DOUBLE"), **arguments))
    tables.execute_sql(SINK.format(metrics=_for_each_metric(_COLUMNS), **arguments))
    tables.execute_sql(QUERY.format(metrics=_for_each_metric(_SUMMED_UP)))


if __name__ == "__main__":
    main()
