CREATE TEMPORARY TABLE archive_aggregates_sink (
    window_start STRING,
    window_end STRING,
    device_id STRING,
    site STRING,
    metric STRING,
    unit STRING,
    `count` STRING,
    `sum` STRING,
    `min` STRING,
    `max` STRING,
    `avg` STRING,
    `last` STRING,
    p95 STRING,
    unparsed STRING,
    origin STRING
) WITH (
    'connector' = 'jdbc',
    'url' = $url,
    'username' = $user,
    'password' = $password,
    'table-name' = 'aggregates_ingest',
    'sink.buffer-flush.max-rows' = '1000',
    'sink.buffer-flush.interval' = '200 ms'
)
