-- Records as the broker has them: nothing is parsed, so that nothing can be lost for what it says.
CREATE TEMPORARY TABLE cold_source (
    `key` BYTES,
    `value` BYTES,
    `topic` STRING METADATA VIRTUAL,
    `partition` INT METADATA VIRTUAL,
    `offset` BIGINT METADATA VIRTUAL,
    `kafka_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
) WITH (
    'connector' = 'kafka',
    'topic' = $topics,
    'properties.bootstrap.servers' = $bootstrap_servers,
    'properties.group.id' = 'fleetpulse-cold',
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset',
    'scan.topic-partition-discovery.interval' = '10 s',
    'key.format' = 'raw',
    'key.fields' = 'key',
    'value.format' = 'raw',
    'value.fields-include' = 'EXCEPT_KEY'
)
