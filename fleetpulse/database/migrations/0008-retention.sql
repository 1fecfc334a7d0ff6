-- How long things are kept.
--
--   sensor_readings  30 days   the bulk of everything: raw values are for looking into what has just happened; the same
--                              records are in cold storage for longer
--   aggregates       90 days   one row a minute, device and metric: a season to compare with
--   readings_1m      90 days   as above
--   readings_1h      2 years   a year and the one before it
--   readings_1d      for ever  a row a day and device
--   alerts           1 year    few, and what people ask about longest
--
-- On TimescaleDB policies see to it, by dropping whole chunks, for the first time a day after this migration: until
-- then remove_retention_policy and add_retention_policy can set another age before anything goes. Elsewhere nothing is
-- deleted by itself: whoever runs the database calls drop_older_than, say once a day from cron. Rejects are for people
-- to look at, and are deleted by it on both.
CREATE FUNCTION drop_older_than(age interval, relation regclass) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    dated name := CASE
        WHEN relation IN ('alerts'::regclass, 'sensor_readings'::regclass, 'aggregates'::regclass) THEN 'time'
        WHEN relation IN ('alerts_rejects'::regclass, 'readings_rejects'::regclass, 'aggregates_rejects'::regclass)
            THEN 'rejected_at'
    END;
    dropped bigint;
BEGIN
    IF dated IS NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('%s is no table of readings, aggregates, alerts or rejects', relation);
    END IF;
    IF now() - age > now() THEN
        RAISE invalid_parameter_value USING MESSAGE = format('an age is not negative, as %s is', age);
    END IF;
    EXECUTE format('DELETE FROM %s WHERE %I < now() - $1', relation, dated) USING age;
    GET DIAGNOSTICS dropped = ROW_COUNT;
    IF relation = 'alerts'::regclass THEN
        DELETE FROM alerts_unended WHERE time < now() - age; -- see 0009
    END IF;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION drop_older_than(interval, regclass) IS 'Deletes rows older than an age, and says how many';
ALTER FUNCTION drop_older_than(interval, regclass) OWNER TO monitor_owner;
REVOKE ALL ON FUNCTION drop_older_than(interval, regclass) FROM PUBLIC;

DO $$
DECLARE
    tomorrow timestamptz := now() + INTERVAL '1 day';
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        PERFORM add_retention_policy('sensor_readings', INTERVAL '30 days', initial_start => tomorrow);
        PERFORM add_retention_policy('aggregates', INTERVAL '90 days', initial_start => tomorrow);
        PERFORM add_retention_policy('readings_1m', INTERVAL '90 days', initial_start => tomorrow);
        PERFORM add_retention_policy('readings_1h', INTERVAL '2 years', initial_start => tomorrow);
        PERFORM add_retention_policy('alerts', INTERVAL '1 year', initial_start => tomorrow);
        -- A device has few alerts a week: apart from those of other devices they hardly become smaller (269 bytes a
        -- revision instead of 428, together 58), and are slower to find.
        ALTER TABLE alerts SET (
            timescaledb.compress_segmentby = '', timescaledb.compress_orderby = 'time DESC, alert_id, revision'
        );
        -- Not before their refresh leaves them alone.
        ALTER MATERIALIZED VIEW readings_1m SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id');
        ALTER MATERIALIZED VIEW readings_1h SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id');
        ALTER MATERIALIZED VIEW readings_1d SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id');
        PERFORM add_compression_policy('readings_1m', INTERVAL '30 days');
        PERFORM add_compression_policy('readings_1h', INTERVAL '30 days');
        PERFORM add_compression_policy('readings_1d', INTERVAL '90 days');
    END IF;
END
$$;
