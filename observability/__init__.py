"""How the system is watched: dashboards, metrics and what carries alerts to the database."""
