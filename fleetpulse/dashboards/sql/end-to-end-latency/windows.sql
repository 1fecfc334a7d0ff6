SELECT
    time,
    extract(epoch FROM latency[1])::double precision AS median,
    extract(epoch FROM latency[2])::double precision AS p95
FROM (
    SELECT
        time_bucket('$__interval', window_end) AS time,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY stored_at - window_end) AS latency
    FROM aggregates
    WHERE $__timeFilter(time)
    GROUP BY 1
) AS points
ORDER BY time
