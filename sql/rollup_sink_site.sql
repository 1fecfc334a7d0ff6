CREATE TEMPORARY TABLE rollup_sink (`site` STRING, `devices` BIGINT) LIKE rollup_windows
