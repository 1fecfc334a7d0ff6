SELECT
    device_id,
    max(site) AS site,
    count(*) AS alerts,
    max(time) AS last_opened
FROM alerts_current
WHERE $__timeFilter(time)
    AND (site IN (${site}) OR (${site}) IS NULL)
    AND (device_id IN (${device}) OR (${device}) IS NULL)
    AND (kind IN (${kind}) OR (${kind}) IS NULL)
GROUP BY device_id
ORDER BY alerts DESC, device_id
LIMIT 10
