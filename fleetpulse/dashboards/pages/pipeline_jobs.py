"""Panels of Pipeline Health on Flink's jobs."""

from fleetpulse.dashboards.panels import GREEN, ORANGE, RED, YELLOW, stat, timeseries
from fleetpulse.dashboards.queries import prom, prom_now

_JOB = "flink_jobmanager_job_"
_TASK = "flink_taskmanager_job_task_operator_"
_REJECTED = f"{_TASK}reason_fleetpulse_records_rejected"
_DOWN_OR_UP = {
    "type": "value",
    "options": {"0": {"text": "DOWN", "color": RED, "index": 0}, "1": {"text": "up", "color": GREEN, "index": 1}},
}
_LETTERS = 'kafka_log_end_offset{topic=~"telemetry.dlq(.ledger|.parked)?|alerts.dlq"}'
_NO_JOB = "no job"


def _by_job(function: str, metric: str) -> str:
    return f"{function} by (job_name) ({metric})"


UP = (
    (
        8,
        stat(
            "Answering",
            "Whether each part of the system answers Prometheus, but for simulators, which end when they like. DOWN: "
            "look at its process and its log first; all that comes below may be stale.",
            prom_now('min by (job) (up{job!="simulator"})', "{{job}}"),
            unit="none",
            base=RED,
            limits=[(1, GREEN)],
            mappings=[_DOWN_OR_UP],
            empty="Prometheus has no targets",
        ),
    ),
    (
        6,
        stat(
            "Jobs run for",
            "How long each job has been running without a break. Zero or missing: it is down or restarting; its "
            "exceptions stand in Flink's web page.",
            prom_now(f"{_by_job('max', f'{_JOB}runningTime')} / 1000", "{{job_name}}"),
            unit="dtdurations",
            base=RED,
            limits=[(1, ORANGE), (300, GREEN)],
            empty="NO JOB RUNS",
        ),
    ),
    (
        6,
        stat(
            "Restarts in the last hour",
            "A restart goes back to the last checkpoint and loses nothing. Again and again: the same exception each "
            "time.",
            prom_now(_by_job("max", f"increase({_JOB}numRestarts[1h])"), "{{job_name}}"),
            limits=[(0.5, ORANGE), (3, RED)],
            decimals=0,
            empty=_NO_JOB,
        ),
    ),
    (
        4,
        stat(
            "Free task slots",
            "A job that is submitted needs as many as its parallelism. None free: it waits until it gives up.",
            prom_now("max(flink_jobmanager_taskSlotsAvailable)"),
            base=ORANGE,
            limits=[(1, GREEN)],
            empty="no JobManager",
        ),
    ),
)

PROGRESS = (
    (
        8,
        timeseries(
            "Records read",
            "Records that each job reads a second. Zero while the fleet sends: the job or the broker stands still.",
            prom("job_name:records_in:rate1m", "{{job_name}}"),
            unit="rps",
            empty=_NO_JOB,
        ),
    ),
    (
        8,
        timeseries(
            "Kafka lag",
            "Records that wait in Kafka to be read by each job. A rise that does not turn: more comes than it can "
            "take, or it is down. Raise its parallelism, up to the partitions of the topic.",
            prom("job_name:pending_records:sum", "{{job_name}}"),
            limits=[(10_000, ORANGE)],
            empty=_NO_JOB,
        ),
    ),
    (
        8,
        timeseries(
            "Watermark lag",
            "How far time in each job is behind the clock; every alert waits that long. Rising as fast as the clock: "
            "a partition is silent, or ticks are missing. Shards held above zero: it waits on purpose, after an "
            "outage of ours.",
            prom("job_name:watermark_lag_seconds:max", "{{job_name}}"),
            unit="s",
            limits=[(15, YELLOW), (60, RED)],
            empty=_NO_JOB,
        ),
    ),
)

CHECKPOINTS = (
    (
        6,
        stat(
            "Last checkpoint",
            "How long ago each job completed a checkpoint. Nothing becomes visible between two. Minutes: it fails or "
            "takes too long; see beside, and whether the disk is full.",
            prom_now("job_name:checkpoint_age_seconds:max", "{{job_name}}"),
            unit="s",
            limits=[(60, ORANGE), (300, RED)],
            decimals=0,
            empty="none yet",
        ),
    ),
    (
        6,
        timeseries(
            "Duration of checkpoints",
            "How long the last one took. Near to the interval between two: state is too large for the disk, or back "
            "pressure.",
            prom(_by_job("max", f"{_JOB}lastCheckpointDuration >= 0"), "{{job_name}}"),
            unit="ms",
            empty=_NO_JOB,
        ),
    ),
    (
        6,
        timeseries(
            "Failed checkpoints",
            "Checkpoints that failed in five minutes. A few at a restart are normal; a steady line is not.",
            prom(_by_job("max", f"increase({_JOB}numberOfFailedCheckpoints[5m])"), "{{job_name}}"),
            bars=True,
            empty=_NO_JOB,
        ),
    ),
    (
        6,
        timeseries(
            "Size of checkpoints",
            "The state of each job. It follows the number of devices; growth without more devices is a leak.",
            prom(_by_job("max", f"{_JOB}lastCheckpointFullSize >= 0"), "{{job_name}}"),
            unit="bytes",
            empty=_NO_JOB,
        ),
    ),
)

TURNED_AWAY = (
    (
        9,
        timeseries(
            "Rejected by reason",
            "Records a second that no job can read, by reason; they lie in telemetry.dlq. One reason that rises: a "
            "producer was changed. `fleetpulse dlq show` prints which; after the repair `fleetpulse dlq replay`.",
            prom(f"sum by (job_name, reason) (rate({_REJECTED}[$__rate_interval]))", "{{job_name}} {{reason}}"),
            unit="rps",
            empty="nothing rejected",
        ),
    ),
    (
        8,
        timeseries(
            "Out of order, late",
            "Records a second. Out of order: older than one of their partition that was read before; the job waits and "
            "puts them in order. Late: beyond the bound, after their time was decided; they lie in telemetry.late, and "
            "are in no window. Late ones rise: a gateway delivers in bulk, or clocks are behind.",
            prom(
                _by_job("sum", f"rate({_TASK}fleetpulse_records_out_of_order[$__rate_interval])"),
                "{{job_name}} out of order",
            ),
            prom(_by_job("sum", f"rate({_TASK}fleetpulse_records_late[$__rate_interval])"), "{{job_name}} late"),
            unit="rps",
            empty=_NO_JOB,
        ),
    ),
    (
        7,
        timeseries(
            "Dead letters in Kafka",
            "Letters in telemetry.dlq, their retries in telemetry.dlq.ledger, those given up in telemetry.dlq.parked, "
            "and alerts that nobody could store in alerts.dlq, as written so far. A step is a burst.",
            prom(f"sum by (topic) (max by (topic, partition) ({_LETTERS}))", "{{topic}}"),
            empty="no broker",
        ),
    ),
)

TURNED_AWAY_NOW = (
    (
        10,
        stat(
            "Share turned away",
            "Of the records read in five minutes. Above one in a hundred rejected, or one in twenty late, an alert "
            "is raised: the panels beside have the reason and the job.",
            prom_now("fleetpulse:records_rejected:ratio5m", "rejected"),
            prom_now("fleetpulse:records_late:ratio5m", "late"),
            unit="percentunit",
            limits=[(0.01, YELLOW), (0.05, RED)],
            decimals=2,
            empty="nothing read",
        ),
    ),
    (
        14,
        stat(
            "Held, refused",
            "Shards held: they decide nothing yet, for producers may still deliver what they kept during an outage of "
            "ours; over within a minute. Rules refused: what was published on the rules topic is no set of rules, "
            "counted by each shard since the process began; publish a good one.",
            prom_now(f"sum({_TASK}fleetpulse_shards_held)", "shards held"),
            # There is no such gauge before the first refusal.
            prom_now(f"max({_TASK}fleetpulse_rules_refused) or vector(0)", "rules refused"),
            limits=[(1, ORANGE)],
            empty=_NO_JOB,
        ),
    ),
)
