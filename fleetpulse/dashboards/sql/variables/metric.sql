SELECT DISTINCT metric
FROM aggregates
WHERE $__timeFilter(time) AND device_id = '${device}'
ORDER BY metric
