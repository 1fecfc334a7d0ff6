"""The database: migrations and roles."""
