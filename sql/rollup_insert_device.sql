INSERT INTO rollup_sink (
    `window_start`, `window_end`, `device_id`, `metric`, `unit`, `count`, `sum`, `min`, `max`, `avg`
)
SELECT
    CAST(window_start AS TIMESTAMP_LTZ(3)),
    CAST(window_end AS TIMESTAMP_LTZ(3)),
    `device_id`,
    `metric`,
    `unit`,
    SUM(`count`),
    SUM(`sum`),
    MIN(`min`),
    MAX(`max`),
    SUM(`sum`) / SUM(`count`)
FROM TABLE(
    TUMBLE(
        DATA => (SELECT `window_start` AS `fine_start`, `device_id`, `site`, `metric`, `unit`, `count`, `sum`, `min`, `max` FROM rollup_source),
        TIMECOL => DESCRIPTOR(`fine_start`),
        SIZE => INTERVAL $width DAY TO SECOND(3)
    )
)
GROUP BY window_start, window_end, `device_id`, `metric`, `unit`
