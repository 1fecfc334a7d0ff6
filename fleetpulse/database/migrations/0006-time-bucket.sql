-- TimescaleDB's time_bucket, for queries that are to run on both. Buckets count from Monday 2000-01-03 00:00 UTC, and
-- those of months from 2000-01; intervals that mix months with shorter units are refused, there as here.
-- Nothing may depend on it, so that DROP FUNCTION time_bucket makes room for a later CREATE EXTENSION timescaledb,
-- which would else stop at the name.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        -- Background jobs run as the owner of their table, and fail where that role may not log in: those of 0002 and
        -- 0004 never ran. The role gets no password, so nobody else can log in as it where passwords are asked for.
        IF NOT (SELECT rolcanlogin FROM pg_roles WHERE rolname = 'monitor_owner') THEN
            BEGIN
                ALTER ROLE monitor_owner LOGIN PASSWORD NULL;
            EXCEPTION WHEN internal_error THEN
                NULL; -- another database of the server does the same right now
            END;
        END IF;
    ELSE
        CREATE FUNCTION time_bucket(bucket_width interval, ts timestamptz) RETURNS timestamptz
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN CASE
            WHEN NOT isfinite(ts) THEN ts
            -- An interval of whole months, and nothing else, equals what is made of its months.
            WHEN
                extract(year FROM bucket_width) * 12 + extract(month FROM bucket_width) > 0
                AND bucket_width = make_interval(
                    months => (extract(year FROM bucket_width) * 12 + extract(month FROM bucket_width))::integer
                )
            THEN (
                DATE '2000-01-01' + bucket_width * floor(
                    (
                        (extract(year FROM ts AT TIME ZONE 'UTC') - 2000) * 12
                        + extract(month FROM ts AT TIME ZONE 'UTC') - 1
                    ) / (extract(year FROM bucket_width) * 12 + extract(month FROM bucket_width))
                )::double precision
            ) AT TIME ZONE 'UTC'
            ELSE date_bin(bucket_width, ts, TIMESTAMPTZ '2000-01-03 00:00:00+00')
        END;
        ALTER FUNCTION time_bucket(interval, timestamptz) OWNER TO monitor_owner;
    END IF;
END
$$;
