-- Aggregates as text, for the same reason as alerts.
CREATE TEMPORARY TABLE archive_aggregates_source (
    message STRING,
    `topic` STRING METADATA VIRTUAL,
    `partition` INT METADATA VIRTUAL,
    `offset` BIGINT METADATA VIRTUAL
) WITH (
    'connector' = 'kafka',
    'topic' = $topics,
    'properties.bootstrap.servers' = $bootstrap_servers,
    'properties.group.id' = 'fleetpulse-archive-aggregates',
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset',
    'scan.topic-partition-discovery.interval' = '10 s',
    'format' = 'raw'
)
