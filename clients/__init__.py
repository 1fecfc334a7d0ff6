"""Thin adapters to outside systems that several programs share: the command line and Kafka administration."""
