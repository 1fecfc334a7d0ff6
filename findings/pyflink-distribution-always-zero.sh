#!/usr/bin/env bash
# apache-flink 2.3.0 (PyFlink): the Prometheus reporter shows a Python `distribution` metric as a gauge that is always
#   0.
#
# What happens: a Python function makes a counter, a gauge and a distribution in one metric group and updates all
#   three with values from 1000 to 1023. The reporter exposes the counter and the gauge with their values, the
#   distribution with 0.0.
# Why it surprises: PyFlink documents `distribution` beside `counter` and `gauge`; no error or warning says that the
#   reporter cannot show it. Its value is an object with count, sum, min and max, and the reporter takes only numbers.
# What it means: a dashboard or alert rule on a distribution reads 0 for ever, and looks healthy. Export the size of a
#   frame as counters (sum and count) or as gauges (last, max) instead.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check apache-flink==2.3.0
home=$("$work/venv/bin/python" -c 'import pathlib, pyflink; print(pathlib.Path(pyflink.__file__).parent)')
# A local cluster loads no plugins: the reporter goes where Flink's own libraries are.
cp "$home"/plugins/metrics-prometheus/flink-metrics-prometheus-2.3.0.jar "$home/lib/"

cat > "$work/job.py" <<'PY'
import re
import socket
import sys
import time
import urllib.request

from pyflink.common import Configuration
from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment
from pyflink.table.udf import ScalarFunction, udf


class Sizes(ScalarFunction):
    def open(self, function_context):
        group = function_context.get_metric_group()
        self.last = 0
        self.seen = group.counter("frames_seen")
        self.bytes = group.distribution("frames_bytes")
        group.gauge("frames_last", lambda: self.last)

    def eval(self, number):
        self.last = 1000 + number % 24
        self.seen.inc()
        self.bytes.update(self.last)
        return self.last


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
configuration = Configuration()
for key, value in {
    "metrics.reporter.prom.factory.class": "org.apache.flink.metrics.prometheus.PrometheusReporterFactory",
    "metrics.reporter.prom.port": str(port),
    "parallelism.default": "1",
    "python.executable": sys.executable,
    "python.fn-execution.bundle.time": "200",
}.items():
    configuration.set_string(key, value)
table = TableEnvironment.create(
    EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration).build()
)
table.create_temporary_system_function("sizes", udf(Sizes(), result_type=DataTypes.BIGINT()))
table.execute_sql(
    "CREATE TABLE numbers (number BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50',"
    " 'fields.number.kind' = 'sequence', 'fields.number.start' = '1', 'fields.number.end' = '100000')"
)
table.execute_sql("CREATE TABLE nowhere (number BIGINT) WITH ('connector' = 'blackhole')")
job = table.execute_sql("INSERT INTO nowhere SELECT sizes(number) FROM numbers").get_job_client()


def scraped():
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    return {name: float(value) for name, value in re.findall(r"^\w+_operator_(frames_\w+)\{.*\} (\S+)$", text, re.M)}


metrics, distributions, deadline = {}, [], time.monotonic() + 120
while time.monotonic() < deadline and metrics.get("frames_seen", 0) < 500:
    time.sleep(1)
    metrics = scraped()
    if metrics.get("frames_seen", 0) > 0:
        distributions.append(metrics.get("frames_bytes"))
job.cancel().result()

print("last scrape:", metrics)
print("distribution in each scrape:", distributions)
assert metrics["frames_seen"] >= 500, "the counter is not exposed"
assert 1000 <= metrics["frames_last"] <= 1023, "the gauge is not exposed"
assert len(distributions) > 2 and set(distributions) == {0.0}, "the distribution is no longer 0"
PY
export TMPDIR="$work" JAVA_TOOL_OPTIONS="-Djava.io.tmpdir=$work"
"$work/venv/bin/python" "$work/job.py" 2> "$work/errors" || { cat "$work/errors" >&2; exit 1; }
echo "As described: counter and gauge have values, the distribution is 0."
