SELECT
    $__timeGroupAlias(time,$__interval,0),
    kind AS metric,
    count(*) AS alerts
FROM alerts_current
WHERE $__timeFilter(time)
    AND (site IN (${site}) OR (${site}) IS NULL)
    AND (device_id IN (${device}) OR (${device}) IS NULL)
    AND (kind IN (${kind}) OR (${kind}) IS NULL)
GROUP BY 1, 2
ORDER BY 1, 2
