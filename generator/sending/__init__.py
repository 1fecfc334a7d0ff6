"""Sending records to Kafka at a pace, and reporting it."""
