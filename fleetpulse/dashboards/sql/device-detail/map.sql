SELECT time, lat, lon
FROM sensor_readings
WHERE $__timeFilter(time) AND lat IS NOT NULL AND lon IS NOT NULL AND device_id = '${device}'
ORDER BY time DESC
LIMIT 500
