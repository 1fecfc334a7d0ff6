SELECT
    $__timeGroupAlias(rejected_at,$__interval,0),
    kind AS metric,
    count(*) AS rows
FROM (
    SELECT rejected_at, 'alerts' AS kind FROM alerts_rejects
    UNION ALL
    SELECT rejected_at, 'readings' AS kind FROM readings_rejects
    UNION ALL
    SELECT rejected_at, 'aggregates' AS kind FROM aggregates_rejects
) AS rejects
WHERE $__timeFilter(rejected_at)
GROUP BY 1, 2
ORDER BY 1, 2
