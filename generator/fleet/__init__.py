"""The behaviour of simulated devices: when they send, what they measure, when they fail."""
