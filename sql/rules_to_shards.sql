-- Every shard sees every version.
SELECT shard_key, ROW(CAST(NULL AS BYTES), CAST(NULL AS BIGINT), version) AS item
FROM (SELECT `value` AS version, CAST($shard_keys AS ARRAY<INT>) AS shard_keys FROM rules WHERE `value` IS NOT NULL)
CROSS JOIN UNNEST(shard_keys) AS shards (shard_key)
