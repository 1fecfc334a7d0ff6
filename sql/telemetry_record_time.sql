-- Telemetry as the broker has it. Time is the Kafka timestamp; the watermark is made in the source, one a partition.
CREATE TABLE telemetry (
    `key` BYTES,
    `value` BYTES,
    `topic` STRING METADATA VIRTUAL,
    `partition` INT METADATA VIRTUAL,
    `offset` BIGINT METADATA VIRTUAL,
    `kafka_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
    -- A Kafka timestamp after the year 9999, such as microseconds taken for milliseconds, becomes NULL.
    `event_time` AS CASE WHEN `kafka_time` <= TO_TIMESTAMP_LTZ(253402300799999, 3) THEN `kafka_time` END,
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
