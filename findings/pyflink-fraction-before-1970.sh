#!/usr/bin/env bash
# apache-flink 2.3.0 (PyFlink): a datetime before 1970 with a fraction of a second leaves a Python function one second
#   late.
#
# What happens: a Python function with result type TIMESTAMP(6) or TIMESTAMP_LTZ(6) returns 1969-12-31 23:59:59.5, and
#   SQL reads 1970-01-01 00:00:00.5. Without a fraction, or after 1970, the same function is exact.
# Why it surprises: the type reaches back to the year 1, the shift is silent, and both types have it.
# What it means: a device whose clock starts at the epoch, with times before its last restart or with an offset east
#   of UTC, sends times shortly before 1970. They are put a second later, after readings that they precede, and
#   differences of two times are wrong. Let a Python function return BIGINT, and make the timestamp in SQL.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check apache-flink==2.3.0

cat > "$work/job.py" <<'PY'
import sys
from datetime import datetime, timedelta, timezone

from pyflink.common import Configuration
from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment
from pyflink.table.udf import udf

configuration = Configuration()
for key, value in {
    "parallelism.default": "1",
    "python.executable": sys.executable,
    "table.local-time-zone": "UTC",
}.items():
    configuration.set_string(key, value)
table = TableEnvironment.create(
    EnvironmentSettings.new_instance().in_batch_mode().with_configuration(configuration).build()
)


def plain(micros):
    return datetime(1970, 1, 1) + timedelta(microseconds=micros)


def zoned(micros):
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=micros)


table.create_temporary_system_function("plain", udf(plain, result_type=DataTypes.TIMESTAMP(6)))
table.create_temporary_system_function("zoned", udf(zoned, result_type=DataTypes.TIMESTAMP_LTZ(6)))
cases = {  # microseconds since 1970: what SQL reads
    -500_000: "1970-01-01 00:00:00.500000",  # one second late
    -1_876_544: "1969-12-31 23:59:59.123456",  # one second late
    -2_000_000: "1969-12-31 23:59:58.000000",  # right: no fraction
    1_772_359_200_123_456: "2026-03-01 10:00:00.123456",  # right: after 1970
}
rows = ", ".join(f"(CAST({micros} AS BIGINT))" for micros in cases)
query = f"SELECT m, CAST(plain(m) AS STRING), CAST(zoned(m) AS STRING) FROM (VALUES {rows}) AS v(m)"
with table.execute_sql(query).collect() as result:
    seen = {row[0]: (row[1], row[2]) for row in result}
for micros, (first, second) in seen.items():
    print(f"returned {plain(micros)!s:<27} read as TIMESTAMP {first}, as TIMESTAMP_LTZ {second}")
assert seen == {micros: (text, text) for micros, text in cases.items()}, "the times read have changed"
PY
export TMPDIR="$work" JAVA_TOOL_OPTIONS="-Djava.io.tmpdir=$work"
"$work/venv/bin/python" "$work/job.py" 2> "$work/errors" || { cat "$work/errors" >&2; exit 1; }
echo "As described: times before 1970 with a fraction come out one second late."
