SELECT
    $__timeGroupAlias(time,1m,NULL),
    min,
    sum / count AS avg,
    max,
    p95
FROM aggregates
WHERE $__timeFilter(time) AND width = INTERVAL '1 minute' AND metric = '${metric}' AND device_id = '${device}'
ORDER BY 1
