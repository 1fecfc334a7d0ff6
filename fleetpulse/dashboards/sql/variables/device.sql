SELECT DISTINCT device_id
FROM alerts
WHERE $__timeFilter(time) AND (site IN (${site}) OR (${site}) IS NULL)
ORDER BY device_id
LIMIT 1000
