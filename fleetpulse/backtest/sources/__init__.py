"""Where a backtest reads history: Kafka, Parquet or JSON lines."""
