-- One row a revision. `time` is opened_at, so all revisions of an alert lie in one partition.
CREATE TABLE alerts (
    time timestamptz NOT NULL,
    alert_id uuid NOT NULL,
    revision integer NOT NULL CHECK (revision > 0),
    state text NOT NULL CHECK (state IN ('open', 'updated', 'recovered', 'cancelled', 'expired')),
    rule_id text NOT NULL CHECK (rule_id <> ''),
    kind text NOT NULL CHECK (kind <> ''),
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    device_id text NOT NULL CHECK (length(device_id) BETWEEN 1 AND 128),
    site text,
    metric text,
    value double precision CHECK (value NOT IN ('NaN', 'Infinity', '-Infinity')),
    unit text,
    "limit" double precision CHECK ("limit" NOT IN ('NaN', 'Infinity', '-Infinity')),
    opened_at timestamptz NOT NULL CHECK (isfinite(opened_at) AND opened_at = time),
    changed_at timestamptz NOT NULL CHECK (isfinite(changed_at)),
    detected_at timestamptz NOT NULL CHECK (isfinite(detected_at)),
    summary text NOT NULL,
    evidence jsonb NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (time, alert_id, revision)
);

-- TimescaleDB makes it a hypertable while it is still empty. Plain PostgreSQL keeps the plain table.
DO $$
BEGIN
    IF current_setting('shared_preload_libraries') ~ 'timescaledb'
        AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
    THEN
        CREATE EXTENSION IF NOT EXISTS timescaledb;
        PERFORM create_hypertable('alerts', by_range('time', INTERVAL '7 days'), create_default_indexes => false);
        ALTER TABLE alerts SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id');
        PERFORM add_compression_policy('alerts', INTERVAL '30 days');
    END IF;
END
$$;

CREATE INDEX alerts_changed_at ON alerts (changed_at DESC);
CREATE INDEX alerts_device_id ON alerts (device_id, time DESC);
CREATE INDEX alerts_open ON alerts (time DESC) WHERE state IN ('open', 'updated');

-- Each alert's last revision. Written as "no later one exists" so that every condition on the view reaches the indexes.
CREATE VIEW alerts_current AS
SELECT *
FROM alerts
WHERE NOT EXISTS (
    SELECT
    FROM alerts AS later
    WHERE later.time = alerts.time AND later.alert_id = alerts.alert_id AND later.revision > alerts.revision
);

ALTER TABLE alerts OWNER TO monitor_owner;
ALTER VIEW alerts_current OWNER TO monitor_owner;
GRANT SELECT ON alerts, alerts_current TO monitor_user;
