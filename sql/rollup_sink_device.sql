CREATE TEMPORARY TABLE rollup_sink (`device_id` STRING) LIKE rollup_windows
