"""The wire contracts: JSON Schema and Avro, one file a topic."""
