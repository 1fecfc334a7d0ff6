"""Thin adapters to outside systems that several programs share: the command line, Kafka topics and what is in them."""
