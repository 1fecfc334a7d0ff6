-- By device first, which are far fewer than windows.
SELECT
    site,
    count(DISTINCT device_id) AS devices,
    sum(sum) FILTER (WHERE metric = 'temperature_c') / sum(count) FILTER (WHERE metric = 'temperature_c') AS temperature,
    sum(sum) FILTER (WHERE metric = 'humidity') / sum(count) FILTER (WHERE metric = 'humidity') AS humidity,
    min(min) FILTER (WHERE metric = 'battery') AS battery,
    max(last_window) AS last_window
FROM (
    SELECT
        coalesce(site, 'no site') AS site,
        device_id,
        metric,
        sum(sum) AS sum,
        sum(count)::double precision AS count,
        min(min) AS min,
        max(window_end) AS last_window
    FROM aggregates
    WHERE $__timeFilter(time) AND width = INTERVAL '1 minute'
        AND (site IN (${site}) OR (${site}) IS NULL)
    GROUP BY 1, 2, 3
) AS devices
GROUP BY site
ORDER BY site
LIMIT 100
