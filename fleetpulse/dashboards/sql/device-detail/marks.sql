-- Also those that were opened before the range, and still last or ended within it.
SELECT
    opened_at AS time,
    CASE WHEN state IN ('open', 'updated') THEN now() ELSE greatest(changed_at, opened_at) END AS timeend,
    summary AS text,
    kind AS tags
FROM alerts_current
WHERE device_id = '${device}' AND time <= $__timeTo()
    AND (state IN ('open', 'updated') OR changed_at >= $__timeFrom())
ORDER BY time DESC
LIMIT 100
