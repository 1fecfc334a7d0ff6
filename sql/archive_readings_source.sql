-- Readings as bytes: Python decodes them.
CREATE TEMPORARY TABLE archive_readings_source (
    `value` BYTES,
    `topic` STRING METADATA VIRTUAL,
    `partition` INT METADATA VIRTUAL,
    `offset` BIGINT METADATA VIRTUAL,
    `kafka_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
) WITH (
    'connector' = 'kafka',
    'topic' = $topics,
    'properties.bootstrap.servers' = $bootstrap_servers,
    'properties.group.id' = 'fleetpulse-archive-readings',
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset',
    'scan.topic-partition-discovery.interval' = '10 s',
    'format' = 'raw'
)
