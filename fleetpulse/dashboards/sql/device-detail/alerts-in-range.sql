SELECT count(DISTINCT alert_id) AS alerts
FROM alerts
WHERE $__timeFilter(time) AND device_id = '${device}'
