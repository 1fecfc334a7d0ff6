"""The demo's figures."""

import pytest

from fleetpulse.stack.demo.observe import Figures, Health, Job, parse, troubles

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


def test_what_a_job_does_not_report_is_not_known() -> None:
    assert parse("", "a1", 7.0) == Figures(7.0)
    figures = parse(REPORT, "a1", 0.0)
    assert (figures.known, figures.silent) == (None, None)


def test_without_a_watermark_its_delay_is_not_known() -> None:
    none_yet = 'flink_taskmanager_job_task_operator_fleetpulse_watermark_lag_ms{job_id="a1",} 0.0\n'
    assert parse(none_yet, "a1", 0.0).watermark_lag_ms is None


def test_the_rate_never_goes_below_zero() -> None:
    assert Figures(2.0, read=300).per_second(Figures(1.0, read=100)) == 200
    assert Figures(2.0, read=0).per_second(Figures(1.0, read=100)) == 0


def test_a_rate_between_unknown_counts_is_not_known() -> None:
    assert Figures(2.0, read=300).per_second(Figures(1.0)) is None
    assert Figures(2.0).per_second(Figures(1.0, read=300)) is None
    assert Figures(1.0, read=1).per_second(Figures(1.0, read=1)) is None


RUNS = Job("RUNNING", 10, 10)


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (Health(), []),
        (Health(jobs={"monitor": RUNS, "archive": RUNS}), []),
        (
            Health(taskmanager=False, reports=False, jobs={"monitor": Job("RESTARTING", 0, 10)}),
            ["taskmanager is down: being restarted", "the monitor job is restarting: 0 of 10 tasks run"],
        ),
        (Health(jobs={"monitor": Job("RUNNING", 2, 10)}), ["the monitor job is starting: 2 of 10 tasks run"]),
        (
            Health(jobs={"monitor": RUNS}, reports=False),
            ["the monitor job has no figures yet: its Python workers start"],
        ),
        (Health(jobmanager=False, jobs={"monitor": None}), ["jobmanager is down: being restarted"]),
        (Health(jobs={"archive": None}), ["the archive job is gone: end the demo and start it again"]),
        (
            Health(jobs={"archive": Job("FAILED", 0, 2)}),
            ["the archive job has ended (failed): end the demo and start it again"],
        ),
        (Health(kafka=False), ["kafka is down: being restarted"]),
        (Health(database=False), ["postgres is down: being restarted"]),
    ],
    ids=[
        *(
            "well",
            "jobs run",
            "taskmanager",
            "starting",
            "no figures",
            "jobmanager",
            "gone",
            "failed",
            "kafka",
            "postgres",
        ),
    ],
)
def test_what_is_down_is_named(health: Health, expected: list[str]) -> None:
    assert troubles(health) == expected
