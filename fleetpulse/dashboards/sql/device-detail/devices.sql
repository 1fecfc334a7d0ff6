-- One step in the index for each device that measured, however many rows there are. Not so for alerts: those that
-- TimescaleDB has compressed have no index by device.
WITH RECURSIVE measured AS (
    (SELECT device_id FROM sensor_readings WHERE device_id >= '${device}' ORDER BY device_id LIMIT 1)
    UNION ALL
    SELECT (SELECT device_id FROM sensor_readings WHERE device_id > measured.device_id ORDER BY device_id LIMIT 1)
    FROM measured
    WHERE measured.device_id IS NOT NULL
)
SELECT device_id
FROM (
    (SELECT device_id FROM measured LIMIT 100)
    UNION
    SELECT device_id FROM alerts WHERE $__timeFilter(time) AND device_id >= '${device}'
) AS devices
WHERE device_id IS NOT NULL
ORDER BY device_id
LIMIT 100
