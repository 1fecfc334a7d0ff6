SELECT
    opened_at AS time,
    CASE WHEN state IN ('open', 'updated') THEN now() ELSE greatest(changed_at, opened_at) END AS timeend,
    summary AS text,
    kind AS tags
FROM alerts_current
WHERE $__timeFilter(time) AND device_id = '${device}'
ORDER BY time DESC
LIMIT 100
