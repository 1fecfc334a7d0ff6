SELECT concat_ws(' / ', coalesce(site, 'no site'), machine, zone) AS place
FROM sensor_readings
WHERE device_id = '${device}'
ORDER BY time DESC
LIMIT 1
