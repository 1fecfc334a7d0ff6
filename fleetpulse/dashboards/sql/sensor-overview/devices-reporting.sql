SELECT count(DISTINCT device_id) AS devices
FROM aggregates
WHERE $__timeFilter(time) AND width = INTERVAL '1 minute'
    AND (site IN (${site}) OR (${site}) IS NULL)
