#!/usr/bin/env bash
# apache-flink 2.3.0 (Flink SQL): MAX and MIN of a DOUBLE column with a NaN depend on the order of the rows.
#
# What happens: with NaN as the first row of a group, MAX and MIN are NaN whatever follows. With the same NaN in a
#   later row, both ignore it. AVG is NaN in every order. The filters x = x and x <> NaN, which should drop it, keep
#   it.
# Why it surprises: an aggregate over a set should not depend on the order of its rows.
# What it means: sensors that report a broken probe as NaN (valid in Avro) make a window's extremes depend on which
#   record came first, so that a replay from Kafka can differ from the first run. Drop NaN in the decoder, or filter
#   with x BETWEEN -1e300 AND 1e300.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check apache-flink==2.3.0

cat > "$work/job.py" <<'PY'
from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

configuration = Configuration()
configuration.set_string("parallelism.default", "1")
table = TableEnvironment.create(
    EnvironmentSettings.new_instance().in_batch_mode().with_configuration(configuration).build()
)


def ask(query):
    with table.execute_sql(query).collect() as result:
        [row] = list(result)
    return tuple(row)


def rows(values):
    return ", ".join(f"('{value}')" for value in values)


seen = {}
for order in (("NaN", "1", "5"), ("1", "NaN", "5"), ("5", "1", "NaN")):
    seen[order] = ask(
        "SELECT CAST(MAX(x) AS STRING), CAST(MIN(x) AS STRING), CAST(AVG(x) AS STRING)"
        f" FROM (SELECT CAST(t AS DOUBLE) AS x FROM (VALUES {rows(order)}) AS v(t))"
    )
    print(f"rows {', '.join(order):<10} max, min, avg: {', '.join(seen[order])}")
kept = {}
for condition in ("x = x", "x <> CAST('NaN' AS DOUBLE)", "x BETWEEN -1e300 AND 1e300"):
    kept[condition] = ask(
        f"SELECT COUNT(*) FROM (SELECT CAST(t AS DOUBLE) AS x FROM (VALUES {rows(('NaN', '1', '5'))}) AS v(t))"
        f" WHERE {condition}"
    )[0]
    print(f"of 3 rows, {condition} keeps {kept[condition]}")
assert seen == {
    ("NaN", "1", "5"): ("NaN", "NaN", "NaN"),
    ("1", "NaN", "5"): ("5.0", "1.0", "NaN"),
    ("5", "1", "NaN"): ("5.0", "1.0", "NaN"),
}, "the aggregates have changed"
assert list(kept.values()) == [3, 3, 2], "the filters have changed"
PY
export TMPDIR="$work" JAVA_TOOL_OPTIONS="-Djava.io.tmpdir=$work"
"$work/venv/bin/python" "$work/job.py" 2> "$work/errors" || { cat "$work/errors" >&2; exit 1; }
echo "As described: the order decides."
