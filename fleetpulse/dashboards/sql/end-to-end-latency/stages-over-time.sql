SELECT
    time_bucket('$__interval', changed_at) AS time,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM detected_at - changed_at)) AS "event to detected",
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM stored_at - detected_at)) AS "detected to stored"
FROM alerts
WHERE $__timeFilter(changed_at) AND state IN ('open', 'updated', 'recovered')
GROUP BY 1
ORDER BY 1
