"""Inactivity: alerts on devices that have gone silent."""
