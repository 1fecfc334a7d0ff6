SELECT count(DISTINCT device_id) AS devices
FROM alerts
WHERE $__timeFilter(time)
    AND (site IN (${site}) OR (${site}) IS NULL)
    AND (device_id IN (${device}) OR (${device}) IS NULL)
    AND (kind IN (${kind}) OR (${kind}) IS NULL)
