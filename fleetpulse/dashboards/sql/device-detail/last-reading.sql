SELECT extract(epoch FROM max(time))::double precision * 1000 AS last_reading
FROM sensor_readings
WHERE device_id = '${device}'
