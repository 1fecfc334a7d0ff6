-- PostgreSQL text cannot hold U+0000, so it goes from every value, and from the JSON text of `evidence` as an escape (a
-- backslash that is itself escaped does not begin one). Stripping the message once, before, would be shorter to write, but
-- the planner would strip it once a column: four times slower (measured).
INSERT INTO archive_sink
SELECT
    REPLACE(JSON_VALUE(message, '$.alert_id'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.revision'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.state'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.rule_id'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.kind'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.severity'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.device_id'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.site'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.metric'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.value'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.unit'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.limit'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.opened_at'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.changed_at'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.detected_at'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.summary'), U&'\0000', ''),
    REGEXP_REPLACE(JSON_QUERY(message, '$.evidence'), '(?<=(?<!\\)(?:\\\\){0,99})\\u0000', ''),
    CASE WHEN message IS JSON OBJECT THEN CAST(NULL AS STRING) ELSE REPLACE(COALESCE(message, ''), U&'\0000', '') END,
    CONCAT_WS(':', $topic, CAST(`partition` AS STRING), CAST(`offset` AS STRING))
FROM archive_source
