"""The alerts on silence that a simulation must give, computed without the code of the jobs."""
