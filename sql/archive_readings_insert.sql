-- One row a batch. What is larger than 16 MiB got here compressed, and would fill the memory of all that follows.
-- The function returns as many rows as it gets, all null but the few that carry one.
INSERT INTO archive_readings_sink
SELECT batch
FROM (
    SELECT to_readings(CAST(`value` AS VARBINARY(16777216)), `topic`, `partition`, `offset`, `kafka_time`) AS batch
    FROM archive_readings_source
)
WHERE batch IS NOT NULL
