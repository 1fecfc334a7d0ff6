SELECT time, severity, kind, rule_id, summary, value, "limit", unit, changed_at
FROM alerts_open
WHERE device_id = '${device}'
ORDER BY time DESC
LIMIT 50
