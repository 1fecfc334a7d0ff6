-- The broker's clock, written by this job and read back through Kafka: while the broker is away, time stands still.
CREATE TABLE ticks (
    `value` BYTES,
    `kafka_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
    WATERMARK FOR `kafka_time` AS `kafka_time` - INTERVAL $bound DAY TO SECOND(3)
) WITH (
    'connector' = 'kafka',
    'topic' = $topic,
    'properties.bootstrap.servers' = $bootstrap_servers,
    'scan.startup.mode' = 'latest-offset',
    'scan.parallelism' = '1',
    'sink.parallelism' = '1',
    'value.format' = 'raw'
)
