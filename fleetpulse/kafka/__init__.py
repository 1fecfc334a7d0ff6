"""Kafka clients: topics, consumers, transactions, cluster checks and the schema registry."""
