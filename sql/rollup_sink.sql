-- What every coarser window has; rollup_sink_<by>.sql adds what it is of.
CREATE TEMPORARY TABLE rollup_windows (
    `window_start` TIMESTAMP_LTZ(3),
    `window_end` TIMESTAMP_LTZ(3),
    `metric` STRING,
    `unit` STRING,
    `count` BIGINT,
    `sum` DOUBLE,
    `min` DOUBLE,
    `max` DOUBLE,
    `avg` DOUBLE
) WITH (
    'connector' = 'kafka',
    'topic' = $topic,
    'properties.bootstrap.servers' = $bootstrap_servers,
    'properties.transaction.timeout.ms' = $transaction_timeout_ms,
    'sink.delivery-guarantee' = 'exactly-once',
    'sink.transactional-id-prefix' = $transactional_id_prefix,
    'format' = 'json',
    'json.timestamp-format.standard' = 'ISO-8601'
)
