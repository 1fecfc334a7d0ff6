-- The ingest view, which casts, keeps each revision once and rejects what is bad. `limit_value`: the connector quotes no
-- column names, and LIMIT is a reserved word.
CREATE TEMPORARY TABLE archive_sink (
    alert_id STRING,
    revision STRING,
    state STRING,
    rule_id STRING,
    kind STRING,
    severity STRING,
    device_id STRING,
    site STRING,
    metric STRING,
    `value` STRING,
    unit STRING,
    limit_value STRING,
    opened_at STRING,
    changed_at STRING,
    detected_at STRING,
    summary STRING,
    evidence STRING,
    unparsed STRING,
    origin STRING
) WITH (
    'connector' = 'jdbc',
    'url' = $url,
    'username' = $user,
    'password' = $password,
    'table-name' = 'alerts_ingest',
    'sink.buffer-flush.max-rows' = '1000',
    'sink.buffer-flush.interval' = '200 ms'
)
