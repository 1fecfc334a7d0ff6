SELECT DISTINCT site
FROM aggregates
WHERE $__timeFilter(time) AND width = INTERVAL '1 minute' AND site IS NOT NULL
ORDER BY site
LIMIT 1000
