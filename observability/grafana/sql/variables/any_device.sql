-- One step in the index for each device, however many rows there are.
WITH RECURSIVE known AS (
    (SELECT device_id FROM alerts ORDER BY device_id LIMIT 1)
    UNION ALL
    SELECT (SELECT device_id FROM alerts WHERE device_id > known.device_id ORDER BY device_id LIMIT 1)
    FROM known
    WHERE known.device_id IS NOT NULL
),
measured AS (
    (SELECT device_id FROM sensor_readings ORDER BY device_id LIMIT 1)
    UNION ALL
    SELECT (SELECT device_id FROM sensor_readings WHERE device_id > measured.device_id ORDER BY device_id LIMIT 1)
    FROM measured
    WHERE measured.device_id IS NOT NULL
)
SELECT device_id
FROM (
    (SELECT device_id FROM known LIMIT 1000)
    UNION
    (SELECT device_id FROM measured LIMIT 1000)
) AS devices
WHERE device_id IS NOT NULL
ORDER BY device_id
LIMIT 1000
