-- Aggregates as the deciding jobs write them. Windows of one time come from many subtasks, the last of them up to a window
-- or two after the first: that is the bound.
CREATE TEMPORARY TABLE rollup_source (
    `window_start` TIMESTAMP_LTZ(3),
    `device_id` STRING,
    `site` STRING,
    `metric` STRING,
    `unit` STRING,
    `count` BIGINT,
    `sum` DOUBLE,
    `min` DOUBLE,
    `max` DOUBLE,
    WATERMARK FOR `window_start` AS `window_start` - INTERVAL $bound DAY TO SECOND(3)
) WITH (
    'connector' = 'kafka',
    'topic' = $topic,
    'properties.bootstrap.servers' = $bootstrap_servers,
    'properties.group.id' = $group,
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset',
    'scan.topic-partition-discovery.interval' = '10 s',
    'scan.bounded.mode' = $bounded,
    'scan.watermark.idle-timeout' = '30 s',
    'format' = 'json',
    'json.timestamp-format.standard' = 'ISO-8601'
)
