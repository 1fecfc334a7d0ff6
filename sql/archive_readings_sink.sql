-- Whole batches: each row holds up to a thousand readings, so few rows are many.
CREATE TEMPORARY TABLE archive_readings_sink (
    batch STRING
) WITH (
    'connector' = 'jdbc',
    'url' = $url,
    'username' = $user,
    'password' = $password,
    'table-name' = 'readings_ingest',
    'sink.buffer-flush.max-rows' = '10',
    'sink.buffer-flush.interval' = '200 ms'
)
