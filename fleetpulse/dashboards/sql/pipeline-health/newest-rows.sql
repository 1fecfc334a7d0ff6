-- Each from the end of an index. Of alerts it may be long ago: a healthy fleet has none.
SELECT
    (SELECT extract(epoch FROM max(time)) * 1000 FROM sensor_readings)::double precision AS readings,
    (SELECT extract(epoch FROM max(time)) * 1000 FROM aggregates)::double precision AS aggregates,
    (SELECT extract(epoch FROM max(changed_at)) * 1000 FROM alerts)::double precision AS alerts
