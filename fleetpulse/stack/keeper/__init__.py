"""Submits again what a cluster has lost: Flink alone forgets its jobs with its JobManager."""
