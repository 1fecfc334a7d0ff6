SELECT
    time_bucket('$__interval', time) AS time,
    coalesce(site, 'no site') AS metric,
    min(min) AS battery
FROM aggregates
WHERE $__timeFilter(time) AND width = INTERVAL '1 minute' AND metric = 'battery'
    AND (site IN (${site}) OR (${site}) IS NULL)
GROUP BY 1, 2
ORDER BY 1, 2
