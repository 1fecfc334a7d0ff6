"""Kafka clients: topics, consumers, transactions, cluster checks and the schema registry."""

import logging

# Errors reach people as one line of ours. Where nothing is configured, Python prints the client's own warnings too.
logging.getLogger("kafka").addHandler(logging.NullHandler())
