SELECT count(*) AS open
FROM alerts_current
WHERE state IN ('open', 'updated') AND device_id = '${device}'
