SELECT
    $__timeGroupAlias(time,$__interval,0),
    count(*) AS readings
FROM sensor_readings
WHERE $__timeFilter(time) AND device_id = '${device}'
GROUP BY 1
ORDER BY 1
