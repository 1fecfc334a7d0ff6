-- Alerts, late and rejected records: one transactional sink, each row names its topic.
CREATE TABLE outputs (
    `topic` STRING METADATA,
    `headers` MAP<STRING, BYTES> METADATA,
    `timestamp` TIMESTAMP_LTZ(3) METADATA,
    `key` BYTES,
    `value` BYTES
) WITH (
    'connector' = 'kafka',
    'topic' = $topics,
    'properties.bootstrap.servers' = $bootstrap_servers,
    'properties.transaction.timeout.ms' = $transaction_timeout_ms,
    -- A record that reached the broker compressed must leave compressed; this limit counts it as it is.
    'properties.compression.type' = 'gzip',
    'properties.max.request.size' = '134217728',
    'properties.buffer.memory' = '268435456',
    'properties.enable.idempotence' = 'true',
    'sink.delivery-guarantee' = $delivery,
    'sink.transactional-id-prefix' = $transactional_id_prefix,
    'key.format' = 'raw',
    'key.fields' = 'key',
    'value.format' = 'raw',
    'value.fields-include' = 'EXCEPT_KEY'
)
