SELECT DISTINCT kind
FROM alerts
WHERE $__timeFilter(time)
ORDER BY kind
