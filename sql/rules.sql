-- Versions of the rules, each a whole set. They tell no time: their watermark is the end of all time, and while there is
-- none the source counts as idle, so that rules never hold back telemetry.
CREATE TABLE rules (
    `value` BYTES,
    `end_of_time` AS TO_TIMESTAMP_LTZ(253402300799999, 3),
    WATERMARK FOR `end_of_time` AS `end_of_time`
) WITH (
    'connector' = 'kafka',
    'topic' = $topic,
    'properties.bootstrap.servers' = $bootstrap_servers,
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset',
    'scan.bounded.mode' = $bounded,
    'scan.parallelism' = '1',
    'scan.watermark.idle-timeout' = '1 s',
    'value.format' = 'raw'
)
