-- Parquet in folders such as dt=2026-01-01/hour=05. A file is finished, and only then visible, with a checkpoint.
CREATE TEMPORARY TABLE cold_sink (
    `key` BYTES,
    `value` BYTES,
    `topic` STRING,
    `partition` INT,
    `offset` BIGINT,
    `kafka_time` TIMESTAMP_LTZ(3),
    dt STRING,
    `hour` STRING
) PARTITIONED BY (dt, `hour`) WITH (
    'connector' = 'filesystem',
    'path' = $path,
    'format' = 'parquet',
    'parquet.compression' = 'ZSTD',
    'parquet.utc-timezone' = 'true',
    'parquet.write.int64.timestamp' = 'true',
    'parquet.timestamp.time.unit' = 'millis'
)
