-- The door for writers: all text, so that no value can fail before the trigger sees it, and empty to anyone who reads.
CREATE VIEW alerts_ingest AS
SELECT
    NULL::text AS alert_id,
    NULL::text AS revision,
    NULL::text AS state,
    NULL::text AS rule_id,
    NULL::text AS kind,
    NULL::text AS severity,
    NULL::text AS device_id,
    NULL::text AS site,
    NULL::text AS metric,
    NULL::text AS value,
    NULL::text AS unit,
    NULL::text AS "limit",
    NULL::text AS limit_value, -- the same, for writers that cannot quote a reserved word (Flink's JDBC connector)
    NULL::text AS opened_at,
    NULL::text AS changed_at,
    NULL::text AS detected_at,
    NULL::text AS summary,
    NULL::text AS evidence,
    NULL::text AS unparsed,    -- a message that is not a JSON object, instead of all the above
    NULL::text AS origin       -- where it was read, as topic:partition:offset; kept with what is rejected
WHERE false;

-- What did not cast. The fingerprint keeps a replay from rejecting the same row twice.
CREATE TABLE alerts_rejects (
    fingerprint text PRIMARY KEY,
    rejected_at timestamptz NOT NULL,
    reason text NOT NULL,
    LIKE alerts_ingest
);
CREATE INDEX alerts_rejects_rejected_at ON alerts_rejects (rejected_at DESC);

CREATE FUNCTION alerts_ingest_row() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    IF NEW.unparsed IS NOT NULL THEN
        RAISE data_exception USING MESSAGE = 'not a JSON object';
    END IF;
    INSERT INTO alerts (
        time, alert_id, revision, state, rule_id, kind, severity, device_id, site, metric, value, unit, "limit",
        opened_at, changed_at, detected_at, summary, evidence
    ) VALUES (
        NEW.opened_at::timestamptz, NEW.alert_id::uuid, NEW.revision::integer, NEW.state, NEW.rule_id, NEW.kind,
        NEW.severity, NEW.device_id, NEW.site, NEW.metric, NEW.value::double precision, NEW.unit,
        coalesce(NEW."limit", NEW.limit_value)::double precision, NEW.opened_at::timestamptz,
        NEW.changed_at::timestamptz, NEW.detected_at::timestamptz, NEW.summary, NEW.evidence::jsonb
    ) ON CONFLICT (time, alert_id, revision) DO NOTHING;
    RETURN NEW;
-- Only what is wrong with the row itself. A full disk or a lost right must fail the writer, who will come again.
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
    INSERT INTO alerts_rejects SELECT md5(NEW::text), clock_timestamp(), SQLERRM, NEW.*
    ON CONFLICT (fingerprint) DO NOTHING;
    RETURN NEW;
END
$$;

CREATE TRIGGER alerts_ingest_row INSTEAD OF INSERT ON alerts_ingest
FOR EACH ROW EXECUTE FUNCTION alerts_ingest_row();

ALTER VIEW alerts_ingest OWNER TO monitor_owner;
ALTER TABLE alerts_rejects OWNER TO monitor_owner;
ALTER FUNCTION alerts_ingest_row() OWNER TO monitor_owner;
REVOKE ALL ON FUNCTION alerts_ingest_row() FROM PUBLIC;
GRANT INSERT ON alerts_ingest TO alert_writer;
GRANT SELECT ON alerts_rejects TO monitor_user;
