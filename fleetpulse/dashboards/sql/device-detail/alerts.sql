SELECT time, changed_at, state, severity, kind, rule_id, revision, summary, value, "limit", unit, alert_id::text AS alert_id
FROM alerts
WHERE $__timeFilter(time) AND device_id = '${device}'
ORDER BY time DESC, rule_id, revision DESC
LIMIT 200
