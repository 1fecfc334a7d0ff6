SELECT
    $__timeGroupAlias(time,$__interval),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM stored_at - time)) AS median,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM stored_at - time)) AS p95
FROM sensor_readings
WHERE $__timeFilter(time)
GROUP BY 1
ORDER BY 1
