"""The demo's figures."""

from fleetpulse.stack.demo.observe import Figures, parse

REPORT = """\
# TYPE flink_taskmanager_job_task_operator_fleetpulse_records_read gauge
flink_taskmanager_job_task_operator_fleetpulse_records_read{job_id="a1",subtask_index="0",} 100.0
flink_taskmanager_job_task_operator_fleetpulse_records_read{job_id="a1",subtask_index="1",} 50.0
flink_taskmanager_job_task_operator_fleetpulse_records_read{job_id="b2",subtask_index="0",} 9.0
flink_taskmanager_job_task_operator_reason_fleetpulse_records_rejected{job_id="a1",reason="empty",} 2.0
flink_taskmanager_job_task_operator_reason_fleetpulse_records_rejected{job_id="a1",reason="malformed",} 3.0
flink_taskmanager_job_task_operator_fleetpulse_watermark_lag_ms{job_id="a1",subtask_index="0",} 2300.0
flink_taskmanager_job_task_operator_fleetpulse_watermark_lag_ms{job_id="a1",subtask_index="1",} 2100.0
"""


def test_figures_are_of_one_job_summed_over_its_subtasks() -> None:
    figures = parse(REPORT, "a1", 0.0)
    assert (figures.read, figures.rejected, figures.watermark_lag_ms) == (150, 5, 2300)


def test_a_job_that_reports_nothing_shows_zeros() -> None:
    assert parse("", "a1", 7.0) == Figures(7.0)


def test_the_rate_never_goes_below_zero() -> None:
    assert Figures(2.0, read=300).per_second(Figures(1.0, read=100)) == 200
    assert Figures(2.0, read=0).per_second(Figures(1.0, read=100)) == 0
    assert Figures(1.0).per_second(Figures(1.0)) == 0
