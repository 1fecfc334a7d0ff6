"""Panels of Pipeline Health on what is around the jobs: database, Vector, Kafka, processors and memory."""

from fleetpulse.dashboards.panels import BLUE, ORANGE, RED, column, stat, table, timeseries
from fleetpulse.dashboards.queries import prom, prom_now, rows, series

_JVM = "Status_JVM_"

STORING = (
    (
        4,
        stat(
            "Newest rows",
            "The time of the newest row of each kind. Readings or windows of minutes ago while records are read: what "
            "writes to the database is behind or down. Alerts may be old: a healthy fleet has none.",
            rows("pipeline-health/newest-rows"),
            unit="dateTimeFromNow",
            base=BLUE,
            empty="none",
        ),
    ),
    (
        5,
        timeseries(
            "Not stored",
            "Rows that the database could not take, by kind. Each is kept with its reason: see beside. Anything but "
            "zero is a fault of what wrote it.",
            series("pipeline-health/not-stored"),
            bars=True,
            points=60,
            interval="1m",
            empty="everything was stored",
        ),
    ),
    (
        7,
        table(
            "Why not",
            "The commonest reasons in this time range, with one place each (topic:partition:offset) where such a "
            "message lies.",
            rows("pipeline-health/not-stored-reasons"),
            columns=[column("last", unit="dateTimeAsIso"), column("rows", custom__width=70)],
            empty="everything was stored",
        ),
    ),
    (
        4,
        timeseries(
            "Vector",
            "Events a second that Vector reads and delivers, and its errors. Read without delivered: the database or "
            "the disk buffer; errors stand in its log.",
            prom(  # without Vector's internal metrics, which outnumber its records in quiet times
                "sum(rate(vector_component_received_events_total"
                "{component_kind='source', component_type='kafka'}[$__rate_interval]))",
                "read",
            ),
            prom(
                "sum(rate(vector_component_sent_events_total"
                "{component_kind='sink', component_type!='prometheus_exporter'}[$__rate_interval]))",
                "delivered",
            ),
            prom("sum(rate(vector_component_errors_total[$__rate_interval]))", "errors"),
            unit="eps",
            empty="no Vector here: the archive job stores",
        ),
    ),
    (
        4,
        timeseries(
            "Database",
            "Connections in use, of those allowed. Near the limit: something opens them and does not close them.",
            prom('sum(pg_stat_activity_count{datname="monitoring"})', "in use"),
            prom("max(pg_settings_max_connections)", "allowed"),
            empty="no exporter of the database",
        ),
    ),
)

BROKER = (
    (
        6,
        stat(
            "Partitions in trouble",
            "Without a leader: producers and jobs wait. Under-replicated: a broker is down or behind; start it again "
            "before a second one goes.",
            prom_now("max(kafka_controller_offline_partitions)", "without leader"),
            prom_now("sum(kafka_replica_under_replicated_partitions)", "under-replicated"),
            limits=[(1, RED)],
            empty="no broker",
        ),
    ),
    (
        9,
        timeseries(
            "Written by topic",
            "Messages a second that are written to each topic. Alerts that rise a hundredfold: one cause, or a limit "
            "set wrong.",
            prom("topic:kafka_records:rate5m", "{{topic}}"),
            unit="wps",
            empty="no broker",
        ),
    ),
    (
        9,
        timeseries(
            "Disk by topic",
            "Size of each topic's log on the brokers. It must level off at its retention; where it does not, the disk "
            "fills.",
            prom("topic:kafka_log_size_bytes:sum", "{{topic}}"),
            unit="bytes",
            empty="no broker",
        ),
    ),
)

RESOURCES = (
    (
        6,
        timeseries(
            "Processor",
            "Cores in use by each process; of Flink, the share of the machine that its JVM takes. At the machine's "
            "number of cores: lag will follow.",
            prom("sum by (job) (rate(process_cpu_seconds_total[$__rate_interval]))", "{{job}}"),
            prom(f"max by (host) (flink_taskmanager_{_JVM}CPU_Load)", "TaskManager {{host}} (share)"),
            prom(f"max(flink_jobmanager_{_JVM}CPU_Load)", "JobManager (share)"),
            empty="no process reports",
        ),
    ),
    (
        6,
        timeseries(
            "Memory",
            "Heap in use by Flink, and memory of the other processes. Near the limit of a container it is killed, and "
            "comes again.",
            prom(f"max by (host) (flink_taskmanager_{_JVM}Memory_Heap_Used)", "TaskManager {{host}} heap"),
            prom(f"max(flink_jobmanager_{_JVM}Memory_Heap_Used)", "JobManager heap"),
            prom("sum by (job) (process_resident_memory_bytes)", "{{job}}"),
            unit="bytes",
            empty="no process reports",
        ),
    ),
    (
        6,
        timeseries(
            "Busy and held back",
            "Share of its time that the busiest task of each job works, and that it waits for the one after it. Busy "
            "near 100 %: that task is the bottleneck.",
            prom("max by (job_name) (flink_taskmanager_job_task_busyTimeMsPerSecond) / 1000", "{{job_name}} busy"),
            prom(
                "max by (job_name) (flink_taskmanager_job_task_backPressuredTimeMsPerSecond) / 1000",
                "{{job_name}} held back",
            ),
            unit="percentunit",
            limits=[(0.9, ORANGE)],
            empty="no job",
        ),
    ),
    (
        6,
        timeseries(
            "Database size",
            "Bytes of the database. It must level off at its retention; docs/operations.md has the arithmetic.",
            prom('max(pg_database_size_bytes{datname="monitoring"})', "monitoring"),
            unit="bytes",
            empty="no exporter of the database",
        ),
    ),
)
