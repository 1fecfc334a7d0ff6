-- Every shard sees every tick.
SELECT shard_key, ROW(CAST(NULL AS BYTES), tick_ms, CAST(NULL AS BYTES)) AS item
FROM (
    SELECT
        TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', CAST(`kafka_time` AS TIMESTAMP(3))) * CAST(1000 AS BIGINT)
            + EXTRACT(MILLISECOND FROM `kafka_time`) AS tick_ms,
        CAST($shard_keys AS ARRAY<INT>) AS shard_keys
    FROM ticks
)
CROSS JOIN UNNEST(shard_keys) AS shards (shard_key)
