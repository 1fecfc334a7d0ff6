-- Every hour of every day of the range has a row, so that each of the 24 has its line in the heatmap.
WITH opened AS (
    SELECT date_trunc('hour', time, 'UTC') AS hour, count(*) AS alerts
    FROM alerts_current
    WHERE $__timeFilter(time)
        AND (site IN (${site}) OR (${site}) IS NULL)
        AND (device_id IN (${device}) OR (${device}) IS NULL)
        AND (kind IN (${kind}) OR (${kind}) IS NULL)
    GROUP BY 1
)
SELECT
    date_trunc('day', hour, 'UTC') AS time,
    to_char(hour AT TIME ZONE 'UTC', 'HH24') AS metric,
    coalesce(alerts, 0) AS alerts
FROM
    generate_series(
        date_trunc('day', $__timeFrom()::timestamptz, 'UTC'),
        date_trunc('day', $__timeTo()::timestamptz, 'UTC') + INTERVAL '23 hours',
        INTERVAL '1 hour'
    ) AS hour
    LEFT JOIN opened USING (hour)
ORDER BY 1, 2
