-- Alerts as text: what is not JSON must reach the rejects table, so no format parses here.
CREATE TEMPORARY TABLE archive_source (
    message STRING,
    `partition` INT METADATA VIRTUAL,
    `offset` BIGINT METADATA VIRTUAL
) WITH (
    'connector' = 'kafka',
    'topic' = $topic,
    'properties.bootstrap.servers' = $bootstrap_servers,
    'properties.group.id' = 'fleetpulse-archive',
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset',
    'scan.topic-partition-discovery.interval' = '10 s',
    'format' = 'raw'
)
