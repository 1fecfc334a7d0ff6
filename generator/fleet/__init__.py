"""What simulated devices do: when they speak, what they measure, when they fail."""
