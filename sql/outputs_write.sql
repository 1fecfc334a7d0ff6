INSERT INTO outputs
SELECT `topic`, `headers`, TO_TIMESTAMP_LTZ(`timestamp_ms`, 3), `key`, `value` FROM decided
