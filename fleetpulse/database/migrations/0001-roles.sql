-- Who may do what. Passwords are set where the database is run, never here.
-- monitor_owner owns every object, alert_writer may only insert into ingest views, monitor_user may only read.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES ('monitor_owner', 'NOLOGIN'), ('alert_writer', 'LOGIN'), ('monitor_user', 'LOGIN'))
            AS roles (name, login)
    LOOP
        -- Roles belong to the whole server: another database of it may have made them already, or make them right now.
        BEGIN
            EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.login);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
    EXECUTE format('GRANT monitor_owner TO %I', current_user);
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO monitor_owner;
GRANT USAGE ON SCHEMA public TO alert_writer, monitor_user;
