"""History judged without Flink, by the code that judges the present: `fleetpulse backtest` and `fleetpulse explain`."""
