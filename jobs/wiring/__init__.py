"""What the jobs share: arguments, sources, the crossing into Python, sinks."""
