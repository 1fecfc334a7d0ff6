"""The database: its migrations, roles and ingest views, for PostgreSQL, with more on TimescaleDB."""
