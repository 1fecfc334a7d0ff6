-- Readings by minute, hour and day: continuous aggregates on TimescaleDB, plain views of the same columns elsewhere.
-- There they read all readings of whatever devices are asked for, so ask for devices; the whole fleet is in `aggregates`.
DO $$
DECLARE
    metrics text[] := ARRAY['temperature_c', 'humidity', 'battery'];
    of_readings text := 'count(*) AS readings';
    of_finer text := 'sum(readings)::bigint AS readings';
    metric text;
    wanted record;
BEGIN
    FOREACH metric IN ARRAY metrics LOOP
        of_readings := of_readings || format(
            ', count(%1$I) AS %1$s_count, sum(%1$I) AS %1$s_sum, avg(%1$I) AS %1$s_avg, min(%1$I) AS %1$s_min,'
            ' max(%1$I) AS %1$s_max',
            metric
        );
        of_finer := of_finer || format(
            ', sum(%1$s_count)::bigint AS %1$s_count, sum(%1$s_sum) AS %1$s_sum,'
            ' sum(%1$s_sum) / nullif(sum(%1$s_count), 0)::double precision AS %1$s_avg, min(%1$s_min) AS %1$s_min,'
            ' max(%1$s_max) AS %1$s_max',
            metric
        );
    END LOOP;

    FOR wanted IN
        SELECT * FROM (
            VALUES
            ('readings_1m', INTERVAL '1 minute', 'sensor_readings', 'time', INTERVAL '5 minutes', INTERVAL '5 minutes'),
            ('readings_1h', INTERVAL '1 hour', 'readings_1m', 'bucket', INTERVAL '1 hour', INTERVAL '30 minutes'),
            ('readings_1d', INTERVAL '1 day', 'readings_1h', 'bucket', INTERVAL '1 day', INTERVAL '6 hours')
        ) AS views (name, width, source, source_time, unfinished, every)
    LOOP
        IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
            -- What is not materialized yet is added to each answer. Each is made of the finer one, which is small.
            EXECUTE format(
                'CREATE MATERIALIZED VIEW %I WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS'
                ' SELECT time_bucket(%L::interval, %I) AS bucket, device_id, site, %s FROM %I GROUP BY 1, 2, 3'
                ' WITH NO DATA',
                wanted.name, wanted.width, wanted.source_time,
                CASE wanted.source WHEN 'sensor_readings' THEN of_readings ELSE of_finer END, wanted.source
            );
            EXECUTE format('ALTER MATERIALIZED VIEW %I OWNER TO monitor_owner', wanted.name);
            -- 29 days: whatever comes late while readings are kept (0008) still counts, and what was dropped is not
            -- taken back. Only what has changed is made anew. An hour from now: whatever is older is made by
            -- `fleetpulse database migrate`, since no migration may, in its transaction.
            PERFORM add_continuous_aggregate_policy(
                wanted.name::regclass, start_offset => INTERVAL '29 days', end_offset => wanted.unfinished,
                schedule_interval => wanted.every, initial_start => now() + INTERVAL '1 hour'
            );
        ELSE
            EXECUTE format(
                'CREATE VIEW %I AS SELECT date_bin(%L, time, TIMESTAMPTZ %L) AS bucket, device_id, site, %s'
                ' FROM sensor_readings GROUP BY 1, 2, 3',
                wanted.name, wanted.width, '2000-01-03 00:00:00+00', of_readings
            );
            EXECUTE format('ALTER VIEW %I OWNER TO monitor_owner', wanted.name);
        END IF;
        EXECUTE format('GRANT SELECT ON %I TO monitor_user', wanted.name);
    END LOOP;
END
$$;
