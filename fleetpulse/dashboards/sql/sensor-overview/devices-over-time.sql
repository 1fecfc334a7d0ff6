-- Counted in two steps: telling devices apart within a group sorts their names.
SELECT time, metric, count(*) AS devices
FROM (
    SELECT time_bucket('$__interval', time) AS time, coalesce(site, 'no site') AS metric, device_id
    FROM aggregates
    WHERE $__timeFilter(time) AND width = INTERVAL '1 minute'
        AND (site IN (${site}) OR (${site}) IS NULL)
    GROUP BY 1, 2, 3
) AS devices
GROUP BY time, metric
ORDER BY time, metric
