"""Records of simulated devices, by dialect."""
