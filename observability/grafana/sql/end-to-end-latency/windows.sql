SELECT
    $__timeGroupAlias(window_end,$__interval),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM stored_at - window_end)) AS median,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM stored_at - window_end)) AS p95
FROM aggregates
WHERE $__timeFilter(time)
GROUP BY 1
ORDER BY 1
