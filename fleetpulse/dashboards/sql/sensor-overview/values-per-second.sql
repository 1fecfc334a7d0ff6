-- The last point may lack windows that are still open.
SELECT
    time_bucket('$__interval', time) AS time,
    metric,
    (sum(count) / ($__interval_ms / 1000.0))::double precision AS values
FROM aggregates
WHERE $__timeFilter(time) AND width = INTERVAL '1 minute'
    AND (site IN (${site}) OR (${site}) IS NULL)
GROUP BY 1, 2
ORDER BY 1, 2
