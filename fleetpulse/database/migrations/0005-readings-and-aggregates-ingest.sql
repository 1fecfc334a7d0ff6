-- The doors for writers of readings and aggregates, made as alerts_ingest is: see 0003.
CREATE VIEW readings_ingest AS
SELECT
    NULL::text AS time,
    NULL::text AS device_id,
    NULL::text AS site,
    NULL::text AS machine,
    NULL::text AS zone,
    NULL::text AS temperature_c,
    NULL::text AS humidity,
    NULL::text AS lat,
    NULL::text AS lon,
    NULL::text AS battery,
    NULL::text AS metrics,
    NULL::text AS unparsed,
    NULL::text AS origin,
    NULL::text AS batch        -- many readings, as a JSON array of objects of the above, instead of them: far faster
WHERE false;

CREATE VIEW aggregates_ingest AS
SELECT
    NULL::text AS window_start,
    NULL::text AS window_end,
    NULL::text AS device_id,
    NULL::text AS site,
    NULL::text AS metric,
    NULL::text AS unit,
    NULL::text AS count,
    NULL::text AS sum,
    NULL::text AS min,
    NULL::text AS max,
    NULL::text AS avg,
    NULL::text AS last,
    NULL::text AS p95,
    NULL::text AS unparsed,
    NULL::text AS origin
WHERE false;

CREATE TABLE readings_rejects (
    fingerprint text PRIMARY KEY,
    rejected_at timestamptz NOT NULL,
    reason text NOT NULL,
    LIKE readings_ingest
);
CREATE INDEX readings_rejects_rejected_at ON readings_rejects (rejected_at DESC);

CREATE TABLE aggregates_rejects (
    fingerprint text PRIMARY KEY,
    rejected_at timestamptz NOT NULL,
    reason text NOT NULL,
    LIKE aggregates_ingest
);
CREATE INDEX aggregates_rejects_rejected_at ON aggregates_rejects (rejected_at DESC);

-- A batch in one statement. Where one of its readings is bad, each is taken by itself.
CREATE FUNCTION readings_ingest_batch(ingested readings_ingest) RETURNS readings_ingest
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    INSERT INTO sensor_readings (
        time, device_id, site, machine, zone, temperature_c, humidity, lat, lon, battery, metrics, origin
    )
    SELECT
        CASE WHEN unparsed IS NULL THEN time::timestamptz END, -- what is unparsed has no time, and fails
        device_id, site, machine, zone, temperature_c::double precision, humidity::double precision,
        lat::double precision, lon::double precision, battery::double precision, metrics::jsonb, origin
    FROM json_populate_recordset(NULL::readings_ingest, ingested.batch::json)
    ON CONFLICT (time, origin) DO NOTHING;
    RETURN ingested;
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
    INSERT INTO readings_ingest (
        time, device_id, site, machine, zone, temperature_c, humidity, lat, lon, battery, metrics, unparsed, origin
    )
    SELECT time, device_id, site, machine, zone, temperature_c, humidity, lat, lon, battery, metrics, unparsed, origin
    FROM json_populate_recordset(NULL::readings_ingest, ingested.batch::json);
    RETURN ingested;
END
$$;

CREATE FUNCTION readings_ingest_row() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    IF NEW.batch IS NOT NULL THEN
        RETURN readings_ingest_batch(NEW);
    END IF;
    IF NEW.unparsed IS NOT NULL THEN
        RAISE data_exception USING MESSAGE = 'not a JSON object';
    END IF;
    INSERT INTO sensor_readings (
        time, device_id, site, machine, zone, temperature_c, humidity, lat, lon, battery, metrics, origin
    ) VALUES (
        NEW.time::timestamptz, NEW.device_id, NEW.site, NEW.machine, NEW.zone, NEW.temperature_c::double precision,
        NEW.humidity::double precision, NEW.lat::double precision, NEW.lon::double precision,
        NEW.battery::double precision, NEW.metrics::jsonb, NEW.origin
    ) ON CONFLICT (time, origin) DO NOTHING;
    RETURN NEW;
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
    INSERT INTO readings_rejects SELECT md5(NEW::text), clock_timestamp(), SQLERRM, NEW.*
    ON CONFLICT (fingerprint) DO NOTHING;
    RETURN NEW;
END
$$;

CREATE FUNCTION aggregates_ingest_row() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    IF NEW.unparsed IS NOT NULL THEN
        RAISE data_exception USING MESSAGE = 'not a JSON object';
    END IF;
    INSERT INTO aggregates (
        time, window_end, width, device_id, site, metric, unit, count, sum, min, max, avg, last, p95
    ) VALUES (
        NEW.window_start::timestamptz, NEW.window_end::timestamptz,
        NEW.window_end::timestamptz - NEW.window_start::timestamptz, NEW.device_id, NEW.site, NEW.metric, NEW.unit,
        NEW.count::bigint, NEW.sum::double precision, NEW.min::double precision, NEW.max::double precision,
        NEW.avg::double precision, NEW.last::double precision, NEW.p95::double precision
    ) ON CONFLICT (time, device_id, metric, width) DO NOTHING;
    RETURN NEW;
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
    INSERT INTO aggregates_rejects SELECT md5(NEW::text), clock_timestamp(), SQLERRM, NEW.*
    ON CONFLICT (fingerprint) DO NOTHING;
    RETURN NEW;
END
$$;

CREATE TRIGGER readings_ingest_row INSTEAD OF INSERT ON readings_ingest
FOR EACH ROW EXECUTE FUNCTION readings_ingest_row();

CREATE TRIGGER aggregates_ingest_row INSTEAD OF INSERT ON aggregates_ingest
FOR EACH ROW EXECUTE FUNCTION aggregates_ingest_row();

ALTER VIEW readings_ingest OWNER TO monitor_owner;
ALTER VIEW aggregates_ingest OWNER TO monitor_owner;
ALTER TABLE readings_rejects OWNER TO monitor_owner;
ALTER TABLE aggregates_rejects OWNER TO monitor_owner;
ALTER FUNCTION readings_ingest_batch(readings_ingest) OWNER TO monitor_owner;
ALTER FUNCTION readings_ingest_row() OWNER TO monitor_owner;
ALTER FUNCTION aggregates_ingest_row() OWNER TO monitor_owner;
REVOKE ALL ON FUNCTION readings_ingest_batch(readings_ingest), readings_ingest_row(), aggregates_ingest_row() FROM PUBLIC;
GRANT INSERT ON readings_ingest, aggregates_ingest TO alert_writer;
GRANT SELECT ON readings_rejects, aggregates_rejects TO monitor_user;
