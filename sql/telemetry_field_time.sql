-- Telemetry as the broker has it, with the time in the value for the watermark only: the decoder's is the event time.
-- The watermark is made in the source, one a partition, and never passes a Kafka timestamp: a clock that is ahead moves
-- no other device's time. An object with an id and no time counts with its Kafka timestamp. A value that is no JSON, or a time that
-- SQL cannot read, moves it no further than an idle partition would: to the Kafka timestamp less the idle timeout.
-- A Kafka timestamp after the year 9999, such as microseconds taken for milliseconds, becomes NULL.
-- Only the branch that is taken parses the value, and it should do so once: JSON_VALUE is what this costs. Two branches
-- are for times written as most are; then numbers in general, ISO 8601 in UTC, ISO 8601 with an offset, and no time.
-- Factory sensors call their time `timestamp`. Avro, which begins with a zero, is not looked into: its time is the Kafka
-- timestamp.
-- Of a value that is too large for us no more is looked at than shows that.
-- Of a number, 13 digits are milliseconds, be it seconds, milliseconds, microseconds or nanoseconds (since 2001).
CREATE TABLE telemetry (
    `key` BYTES,
    `value` BYTES,
    `topic` STRING METADATA VIRTUAL,
    `partition` INT METADATA VIRTUAL,
    `offset` BIGINT METADATA VIRTUAL,
    `kafka_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
    `event_time` AS CASE WHEN `kafka_time` <= TO_TIMESTAMP_LTZ(253402300799999, 3) THEN COALESCE(LEAST(`kafka_time`, CASE
        WHEN CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING) LIKE '%"ts":1%' OR CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING) LIKE '%"ts": 1%' THEN
            TO_TIMESTAMP_LTZ(TRY_CAST(RPAD(SUBSTRING(REPLACE(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.ts'), '.', '') FROM 1 FOR 13), 13, '0') AS BIGINT), 3)
        WHEN CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING) LIKE '%"time":1%' OR CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING) LIKE '%"time": 1%' THEN
            TO_TIMESTAMP_LTZ(TRY_CAST(RPAD(SUBSTRING(REPLACE(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.time'), '.', '') FROM 1 FOR 13), 13, '0') AS BIGINT), 3)
        WHEN CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING) LIKE U&'\0000%' THEN `kafka_time`
        WHEN REGEXP(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '"timestamp"\s*:\s*\d') THEN
            TO_TIMESTAMP_LTZ(TRY_CAST(RPAD(SUBSTRING(REPLACE(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.timestamp'), '.', '') FROM 1 FOR 13), 13, '0') AS BIGINT), 3)
        WHEN REGEXP(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '"timestamp"\s*:\s*"[^"]*[+-]\d\d:?\d\d"') THEN
            CAST(TIMESTAMPADD(
                MINUTE,
                -60 * TRY_CAST(REGEXP_EXTRACT(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.timestamp'), '([+-]\d\d):?\d\d$', 1) AS INT)
                    - TRY_CAST(REGEXP_REPLACE(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.timestamp'), '^.*([+-])\d\d:?(\d\d)$', '$1$2') AS INT),
                TRY_CAST(REGEXP_REPLACE(REGEXP_REPLACE(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.timestamp'), '[+-]\d\d:?\d\d$', ''), 'T', ' ') AS TIMESTAMP(3))
            ) AS TIMESTAMP_LTZ(3))
        WHEN REGEXP(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '"timestamp"\s*:\s*"') THEN
            CAST(TRY_CAST(REGEXP_REPLACE(REGEXP_REPLACE(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.timestamp'), 'Z$', ''), 'T', ' ') AS TIMESTAMP(3)) AS TIMESTAMP_LTZ(3))
        WHEN REGEXP(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '"(ts|time)"\s*:\s*\d') THEN
            TO_TIMESTAMP_LTZ(TRY_CAST(RPAD(SUBSTRING(REPLACE(COALESCE(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.ts'), JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.time')), '.', '') FROM 1 FOR 13), 13, '0') AS BIGINT), 3)
        WHEN REGEXP(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '"(ts|time)"\s*:\s*"[^"]*[+-]\d\d:?\d\d"') THEN
            CAST(TIMESTAMPADD(
                MINUTE,
                -60 * TRY_CAST(REGEXP_EXTRACT(COALESCE(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.ts'), JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.time')), '([+-]\d\d):?\d\d$', 1) AS INT)
                    - TRY_CAST(REGEXP_REPLACE(COALESCE(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.ts'), JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.time')), '^.*([+-])\d\d:?(\d\d)$', '$1$2') AS INT),
                TRY_CAST(REGEXP_REPLACE(REGEXP_REPLACE(COALESCE(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.ts'), JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.time')), '[+-]\d\d:?\d\d$', ''), 'T', ' ') AS TIMESTAMP(3))
            ) AS TIMESTAMP_LTZ(3))
        WHEN REGEXP(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '"(ts|time)"\s*:\s*"') THEN
            CAST(TRY_CAST(REGEXP_REPLACE(REGEXP_REPLACE(COALESCE(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.ts'), JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.time')), 'Z$', ''), 'T', ' ') AS TIMESTAMP(3)) AS TIMESTAMP_LTZ(3))
        WHEN COALESCE(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.device_id'), JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$["device-id"]'), JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.sensor_id')) IS NOT NULL
            AND COALESCE(JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.ts'), JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.time'), JSON_VALUE(CAST(CAST(`value` AS VARBINARY(1048577)) AS STRING), '$.timestamp')) IS NULL THEN
            `kafka_time`
    END), `kafka_time` - INTERVAL $untold DAY TO SECOND(3)) END,
    WATERMARK FOR `event_time` AS `event_time` - INTERVAL $bound DAY TO SECOND(3)
) WITH (
    'connector' = 'kafka',
    'topic' = $topics,
    'properties.bootstrap.servers' = $bootstrap_servers,
    'properties.group.id' = $group,
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset',
    'scan.bounded.mode' = $bounded,
    'scan.topic-partition-discovery.interval' = $discovery_interval,
    'scan.parallelism' = $parallelism,
    'scan.watermark.idle-timeout' = $idle_timeout,
    'scan.watermark.emit.strategy' = $emit,
    'key.format' = 'raw',
    'key.fields' = 'key',
    'value.format' = 'raw',
    'value.fields-include' = 'EXCEPT_KEY'
)
