"""The alerts and windows that a simulation must give, computed without the code of the jobs."""
