"""Tumbling windows over readings."""
