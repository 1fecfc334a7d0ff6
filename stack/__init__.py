"""The embedded stack: a real Kafka, Flink cluster and PostgreSQL as supervised processes of one machine."""
