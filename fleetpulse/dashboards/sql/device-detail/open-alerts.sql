SELECT count(*) AS open
FROM alerts_open
WHERE device_id = '${device}'
