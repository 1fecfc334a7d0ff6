-- One row a reading. `origin` is where it was read, so that a record that is read again is no duplicate, and two records
-- that say the same are two.
CREATE TABLE sensor_readings (
    time timestamptz NOT NULL CHECK (isfinite(time)),
    device_id text NOT NULL CHECK (length(device_id) BETWEEN 1 AND 128),
    site text,
    machine text,
    zone text,
    temperature_c double precision CHECK (temperature_c NOT IN ('NaN', 'Infinity', '-Infinity')),
    humidity double precision CHECK (humidity NOT IN ('NaN', 'Infinity', '-Infinity')),
    lat double precision CHECK (lat NOT IN ('NaN', 'Infinity', '-Infinity')),
    lon double precision CHECK (lon NOT IN ('NaN', 'Infinity', '-Infinity')),
    battery double precision CHECK (battery NOT IN ('NaN', 'Infinity', '-Infinity')),
    metrics jsonb CHECK (jsonb_typeof(metrics) = 'object'), -- whatever else was measured, by metric
    origin text NOT NULL CHECK (origin <> ''),
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (time, origin)
);

-- One row a closed window of one metric of one device. `time` is where it begins.
CREATE TABLE aggregates (
    time timestamptz NOT NULL CHECK (isfinite(time)),
    window_end timestamptz NOT NULL CHECK (isfinite(window_end)),
    width interval NOT NULL CHECK (width > INTERVAL '0' AND time + width = window_end),
    device_id text NOT NULL CHECK (length(device_id) BETWEEN 1 AND 128),
    site text,
    metric text NOT NULL CHECK (metric <> ''),
    unit text,
    count bigint NOT NULL CHECK (count > 0),
    sum double precision NOT NULL CHECK (sum NOT IN ('NaN', 'Infinity', '-Infinity')),
    min double precision NOT NULL CHECK (min NOT IN ('NaN', 'Infinity', '-Infinity')),
    max double precision NOT NULL CHECK (max NOT IN ('NaN', 'Infinity', '-Infinity')),
    avg double precision NOT NULL CHECK (avg NOT IN ('NaN', 'Infinity', '-Infinity')),
    last double precision NOT NULL CHECK (last NOT IN ('NaN', 'Infinity', '-Infinity')),
    p95 double precision CHECK (p95 NOT IN ('NaN', 'Infinity', '-Infinity')),
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (time, device_id, metric, width)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        PERFORM create_hypertable('sensor_readings', by_range('time', INTERVAL '1 day'), create_default_indexes => false);
        ALTER TABLE sensor_readings SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id');
        PERFORM add_compression_policy('sensor_readings', INTERVAL '7 days');
        PERFORM create_hypertable('aggregates', by_range('time', INTERVAL '7 days'), create_default_indexes => false);
        ALTER TABLE aggregates SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id, metric');
        PERFORM add_compression_policy('aggregates', INTERVAL '30 days');
    END IF;
END
$$;

CREATE INDEX sensor_readings_device_id ON sensor_readings (device_id, time DESC);
CREATE INDEX aggregates_device_id ON aggregates (device_id, time DESC);

-- The names that queries had before.
CREATE VIEW telemetry_raw AS
SELECT device_id, time AS ts, temperature_c, humidity, lat, lon
FROM sensor_readings;

CREATE VIEW aggregated_data AS
SELECT device_id, metric AS sensor_type, count, sum, min, max, avg AS average, time AS "timestamp"
FROM aggregates;

ALTER TABLE sensor_readings OWNER TO monitor_owner;
ALTER TABLE aggregates OWNER TO monitor_owner;
ALTER VIEW telemetry_raw OWNER TO monitor_owner;
ALTER VIEW aggregated_data OWNER TO monitor_owner;
GRANT SELECT ON sensor_readings, aggregates, telemetry_raw, aggregated_data TO monitor_user;
