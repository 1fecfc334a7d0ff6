-- One row a frame. What is larger than 16 MiB got here compressed, and would fill the memory of all that follows.
-- The function returns as many rows as it gets, all null but the few that carry one.
SELECT framed.shard_key AS shard_key, ROW(framed.frame, CAST(NULL AS BIGINT), CAST(NULL AS BYTES)) AS item
FROM (
    SELECT to_frames(
        `key`, CAST(`value` AS VARBINARY(16777216)), (ARRAY_POSITION(CAST($topics AS ARRAY<STRING>), `topic`) - 1) * 65536 + `partition`, `offset`, `kafka_time`
    ) AS framed
    FROM telemetry
)
WHERE framed.frame IS NOT NULL
