SELECT
    coalesce(site, 'no site') AS site,
    count(DISTINCT device_id) AS devices,
    sum(sum) FILTER (WHERE metric = 'temperature_c') / sum(count) FILTER (WHERE metric = 'temperature_c') AS temperature,
    sum(sum) FILTER (WHERE metric = 'humidity') / sum(count) FILTER (WHERE metric = 'humidity') AS humidity,
    min(min) FILTER (WHERE metric = 'battery') AS battery,
    max(window_end) AS last_window
FROM aggregates
WHERE $__timeFilter(time) AND width = INTERVAL '1 minute'
    AND (site IN (${site}) OR (${site}) IS NULL)
GROUP BY 1
ORDER BY 1
LIMIT 100
