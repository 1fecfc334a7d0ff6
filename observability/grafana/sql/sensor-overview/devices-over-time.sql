SELECT
    $__timeGroupAlias(time,$__interval),
    coalesce(site, 'no site') AS metric,
    count(DISTINCT device_id) AS devices
FROM aggregates
WHERE $__timeFilter(time) AND width = INTERVAL '1 minute'
    AND (site IN (${site}) OR (${site}) IS NULL)
GROUP BY 1, 2
ORDER BY 1, 2
