"""The embedded stack: Kafka, Flink and PostgreSQL as supervised processes."""
