SELECT
    time_bucket('$__interval', time) AS time,
    coalesce(site, 'no site') AS metric,
    sum(sum) / sum(count) AS humidity
FROM aggregates
WHERE $__timeFilter(time) AND width = INTERVAL '1 minute' AND metric = 'humidity'
    AND (site IN (${site}) OR (${site}) IS NULL)
GROUP BY 1, 2
ORDER BY 1, 2
