SELECT severity, count(*) AS alerts
FROM alerts_current
WHERE $__timeFilter(time)
    AND (site IN (${site}) OR (${site}) IS NULL)
    AND (device_id IN (${device}) OR (${device}) IS NULL)
    AND (kind IN (${kind}) OR (${kind}) IS NULL)
GROUP BY severity
ORDER BY array_position(ARRAY['critical', 'warning', 'info'], severity)
