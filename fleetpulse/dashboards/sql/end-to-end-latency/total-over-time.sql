SELECT
    time_bucket('$__interval', changed_at) AS time,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM stored_at - changed_at)) AS median,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM stored_at - changed_at)) AS p95,
    max(extract(epoch FROM stored_at - changed_at))::double precision AS slowest
FROM alerts
WHERE $__timeFilter(changed_at) AND state IN ('open', 'updated', 'recovered')
GROUP BY 1
ORDER BY 1
