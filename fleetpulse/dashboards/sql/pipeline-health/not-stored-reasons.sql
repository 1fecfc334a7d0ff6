SELECT kind, reason, count(*) AS rows, max(rejected_at) AS last, max(origin) AS example
FROM (
    SELECT rejected_at, 'alerts' AS kind, reason, origin FROM alerts_rejects
    UNION ALL
    SELECT rejected_at, 'readings' AS kind, reason, origin FROM readings_rejects
    UNION ALL
    SELECT rejected_at, 'aggregates' AS kind, reason, origin FROM aggregates_rejects
) AS rejects
WHERE $__timeFilter(rejected_at)
GROUP BY kind, reason
ORDER BY rows DESC, kind, reason
LIMIT 20
