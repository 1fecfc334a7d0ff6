-- U+0000 goes from every value, as in archive_insert.sql.
INSERT INTO archive_aggregates_sink
SELECT
    REPLACE(JSON_VALUE(message, '$.window_start'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.window_end'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.device_id'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.site'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.metric'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.unit'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.count'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.sum'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.min'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.max'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.avg'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.last'), U&'\0000', ''),
    REPLACE(JSON_VALUE(message, '$.p95'), U&'\0000', ''),
    CASE WHEN message IS JSON OBJECT THEN CAST(NULL AS STRING) ELSE REPLACE(COALESCE(message, ''), U&'\0000', '') END,
    CONCAT_WS(':', `topic`, CAST(`partition` AS STRING), CAST(`offset` AS STRING))
FROM archive_aggregates_source
