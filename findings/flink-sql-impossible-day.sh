#!/usr/bin/env bash
# apache-flink 2.3.0 (Flink SQL): one text with a day that the month does not have gives three different answers.
#
# What happens: for '2026-02-31 10:00:00' TO_TIMESTAMP and CAST AS TIMESTAMP answer 28 February, UNIX_TIMESTAMP
#   answers 3 March, and TRY_CAST AS DATE and TO_DATE answer NULL.
# Why it surprises: these functions read the same text with the same format, and for other texts that are no time
#   TO_TIMESTAMP answers NULL.
# What it means: a device with a faulty calendar is not found by IS NULL. Its readings move to a day on which it sent
#   others, and two jobs that parse one field by different functions disagree by three days. Check the day first:
#   TRY_CAST(SUBSTRING(t, 1, 10) AS DATE) IS NOT NULL.
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
configuration.set_string("table.local-time-zone", "UTC")
table = TableEnvironment.create(
    EnvironmentSettings.new_instance().in_batch_mode().with_configuration(configuration).build()
)
query = """
    SELECT t,
           CAST(TO_TIMESTAMP(t) AS STRING),
           CAST(TRY_CAST(t AS TIMESTAMP(3)) AS STRING),
           FROM_UNIXTIME(UNIX_TIMESTAMP(t)),
           CAST(TRY_CAST(SUBSTRING(t, 1, 10) AS DATE) AS STRING),
           CAST(TO_DATE(SUBSTRING(t, 1, 10)) AS STRING)
    FROM (VALUES ('2026-02-28 10:00:00'), ('2026-02-31 10:00:00'), ('2026-04-31 10:00:00')) AS v(t)
"""
with table.execute_sql(query).collect() as result:
    seen = {row[0]: list(row)[1:] for row in result}
names = ("TO_TIMESTAMP", "TRY_CAST TIMESTAMP", "UNIX_TIMESTAMP", "TRY_CAST DATE", "TO_DATE")
for text, answers in seen.items():
    print(text)
    for name, answer in zip(names, answers, strict=True):
        print(f"    {name:<18} {answer}")
assert seen == {
    "2026-02-28 10:00:00": [
        "2026-02-28 10:00:00.000",
        "2026-02-28 10:00:00.000",
        "2026-02-28 10:00:00",
        "2026-02-28",
        "2026-02-28",
    ],
    "2026-02-31 10:00:00": ["2026-02-28 10:00:00.000", "2026-02-28 10:00:00.000", "2026-03-03 10:00:00", None, None],
    "2026-04-31 10:00:00": ["2026-04-30 10:00:00.000", "2026-04-30 10:00:00.000", "2026-05-01 10:00:00", None, None],
}, "the answers have changed"
PY
export TMPDIR="$work" JAVA_TOOL_OPTIONS="-Djava.io.tmpdir=$work"
"$work/venv/bin/python" "$work/job.py" 2> "$work/errors" || { cat "$work/errors" >&2; exit 1; }
echo "As described: three answers for one text."
