"""The Flink jobs: each module parses its arguments, wires sources, decisions and sinks, and submits."""
