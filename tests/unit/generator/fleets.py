"""Scenarios the tests share: one fixed start, and short times so that much happens in few records."""

from dataclasses import replace

from generator.scenario import Scenario

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z, a multiple of every evaluation period used here

QUIET = Scenario(seed=1, devices=50, interval_ms=1_000, start_ms=START_MS, duration_ms=600_000)

FAULTY = replace(
    QUIET,
    devices=100,
    failure_probability=0.5,
    site_outage_ms=100_000,
    out_of_order_rate=0.05,
    late_rate=0.02,
    duplicate_rate=0.03,
    malformed_rate=0.04,
    clock_ahead_devices=2,
    clock_behind_devices=3,
)
