SELECT
    time,
    severity,
    state,
    device_id,
    site,
    kind,
    summary,
    value,
    "limit",
    unit,
    changed_at,
    rule_id
FROM alerts_current
WHERE $__timeFilter(time)
    AND (site IN (${site}) OR (${site}) IS NULL)
    AND (device_id IN (${device}) OR (${device}) IS NULL)
    AND (kind IN (${kind}) OR (${kind}) IS NULL)
ORDER BY time DESC, device_id, rule_id
LIMIT 100
