-- The alerts that are open now, however long ago they were opened. Half of all revisions once said "open": to tell which
-- of them still hold from `alerts` alone takes a look at every revision there ever was.
--
-- alerts_unended holds those that may hold. The view asks `alerts` about each of them, so that a row too many, as an end
-- that comes before its beginning leaves, costs time and nothing else. Should rows ever be missing, after rows were put
-- into `alerts` with triggers disabled: delete all, and insert as below.
CREATE TABLE alerts_unended (
    time timestamptz NOT NULL,
    alert_id uuid NOT NULL,
    revision integer NOT NULL,
    PRIMARY KEY (alert_id, time, revision)
) WITH (
    -- A row lives as long as its alert, so that nearly all that was ever written here is dead: what is left of it, and what
    -- the planner takes it for, must not wait for a share of the table to have changed.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 1000
);

CREATE FUNCTION alerts_unended_row() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    DELETE FROM alerts_unended WHERE alert_id = NEW.alert_id AND time = NEW.time AND revision < NEW.revision;
    IF NEW.state IN ('open', 'updated') THEN
        INSERT INTO alerts_unended VALUES (NEW.time, NEW.alert_id, NEW.revision) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER alerts_unended_row AFTER INSERT ON alerts
FOR EACH ROW EXECUTE FUNCTION alerts_unended_row();

-- After the trigger, whose lock waits for whoever is writing and lets nobody else begin: this statement sees all that was
-- written before, and the trigger all that comes after.
INSERT INTO alerts_unended
SELECT time, alert_id, revision FROM alerts_current WHERE state IN ('open', 'updated')
ON CONFLICT DO NOTHING;

DROP INDEX alerts_open;
CREATE VIEW alerts_open AS
SELECT alerts.*
FROM alerts_unended
JOIN alerts USING (time, alert_id, revision)
WHERE NOT EXISTS (
    SELECT
    FROM alerts AS later
    WHERE later.time = alerts.time AND later.alert_id = alerts.alert_id AND later.revision > alerts.revision
);

ALTER TABLE alerts_unended OWNER TO monitor_owner;
ALTER FUNCTION alerts_unended_row() OWNER TO monitor_owner;
ALTER VIEW alerts_open OWNER TO monitor_owner;
REVOKE ALL ON FUNCTION alerts_unended_row() FROM PUBLIC;
GRANT SELECT ON alerts_open TO monitor_user;
