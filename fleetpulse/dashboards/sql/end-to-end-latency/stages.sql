-- cancelled and expired are left out: what they tell happened long before anybody could have seen it.
SELECT
    stage,
    count(*) AS revisions,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY seconds) AS p99,
    max(seconds) AS slowest
FROM
    alerts
    CROSS JOIN LATERAL (
        VALUES
        (1, 'event to detected', extract(epoch FROM detected_at - changed_at)::double precision),
        (2, 'detected to stored', extract(epoch FROM stored_at - detected_at)::double precision),
        (3, 'event to stored', extract(epoch FROM stored_at - changed_at)::double precision)
    ) AS latency (place, stage, seconds)
WHERE $__timeFilter(changed_at) AND state IN ('open', 'updated', 'recovered')
GROUP BY place, stage
ORDER BY place
