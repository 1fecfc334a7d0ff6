SELECT
    $__timeGroupAlias(time,$__interval,NULL),
    min(battery) AS battery
FROM sensor_readings
WHERE $__timeFilter(time) AND battery IS NOT NULL AND device_id = '${device}'
GROUP BY 1
ORDER BY 1
