SELECT
    $__timeGroupAlias(time,$__interval,NULL),
    measured.key AS metric,
    avg(measured.value::double precision) AS value
FROM sensor_readings CROSS JOIN LATERAL jsonb_each(metrics) AS measured
WHERE $__timeFilter(time) AND jsonb_typeof(measured.value) = 'number' AND device_id = '${device}'
GROUP BY 1, 2
ORDER BY 1, 2
