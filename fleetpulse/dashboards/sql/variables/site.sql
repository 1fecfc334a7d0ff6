SELECT DISTINCT site
FROM alerts
WHERE $__timeFilter(time) AND site IS NOT NULL
ORDER BY site
LIMIT 1000
