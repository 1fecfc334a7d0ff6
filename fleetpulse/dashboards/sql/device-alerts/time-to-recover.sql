SELECT
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM changed_at - opened_at)) AS median,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM changed_at - opened_at)) AS p95
FROM alerts_current
WHERE $__timeFilter(time) AND state = 'recovered'
    AND (site IN (${site}) OR (${site}) IS NULL)
    AND (device_id IN (${device}) OR (${device}) IS NULL)
    AND (kind IN (${kind}) OR (${kind}) IS NULL)
