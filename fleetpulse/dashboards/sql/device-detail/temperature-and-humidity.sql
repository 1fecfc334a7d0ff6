SELECT
    $__timeGroupAlias(time,$__interval,NULL),
    avg(temperature_c) AS temperature,
    avg(humidity) AS humidity
FROM sensor_readings
WHERE $__timeFilter(time) AND device_id = '${device}'
GROUP BY 1
ORDER BY 1
