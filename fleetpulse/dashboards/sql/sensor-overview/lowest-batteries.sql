SELECT device_id, max(site) AS site, (array_agg(last ORDER BY time DESC))[1] AS battery, max(window_end) AS measured
FROM aggregates
WHERE $__timeFilter(time) AND width = INTERVAL '1 minute' AND metric = 'battery'
    AND (site IN (${site}) OR (${site}) IS NULL)
GROUP BY device_id
ORDER BY battery, device_id
LIMIT 10
