SELECT
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM stored_at - changed_at)) AS median,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM stored_at - changed_at)) AS p95,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM stored_at - changed_at)) AS p99
FROM alerts
WHERE $__timeFilter(changed_at) AND state IN ('open', 'updated', 'recovered')
