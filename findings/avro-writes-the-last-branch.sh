#!/usr/bin/env bash
# avro 1.12.2 (Apache's Python package): a value is written in the last branch of a union that takes it, not in the
#   exact one.
#
# What happens: in ["null", "long", "double"] a Python int is written as double, in ["null", "double", "float"] a
#   float is written as float, in ["null", "boolean", "double"] True is written as 1.0. fastavro 1.13.1 writes long,
#   double and boolean for the same schema and values.
# Why it surprises: an exact branch is there, the loss is silent, and the order of branches should only matter for
#   default values.
# What it means: counters above 2^53 and precise readings are changed before they reach Kafka, a state such as "door
#   open" becomes a number, and consumers see other types by producer. Put the exact type last in a union, or write
#   with fastavro.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check avro==1.12.2 fastavro==1.13.1

cat > "$work/write.py" <<'PY'
import io
import json

import avro.io
import avro.schema
import fastavro


def by_avro(schema, value):
    parsed, data = avro.schema.parse(json.dumps(schema)), io.BytesIO()
    avro.io.DatumWriter(parsed).write(value, avro.io.BinaryEncoder(data))
    return data.getvalue()


def by_fastavro(schema, value):
    data = io.BytesIO()
    fastavro.schemaless_writer(data, schema, value)
    return data.getvalue()


def read(schema, data):
    """The branch and the value; both packages read alike."""
    value = fastavro.schemaless_reader(io.BytesIO(data), schema, None)
    parsed = avro.schema.parse(json.dumps(schema))
    assert avro.io.DatumReader(parsed, parsed).read(avro.io.BinaryDecoder(io.BytesIO(data))) == value
    return schema[data[0] // 2], value  # the first byte is the branch, zigzag


cases = [
    (["null", "long", "double"], 2**53 + 1, ("double", 9007199254740992.0), ("long", 9007199254740993)),
    (["null", "double", "float"], 21.1, ("float", 21.100000381469727), ("double", 21.1)),
    (["null", "boolean", "double"], True, ("double", 1.0), ("boolean", True)),
]
for schema, value, avro_expected, fastavro_expected in cases:
    avro_seen, fastavro_seen = read(schema, by_avro(schema, value)), read(schema, by_fastavro(schema, value))
    print(f"{value} in {schema}: avro writes {avro_seen}, fastavro {fastavro_seen}")
    assert repr(avro_seen) == repr(avro_expected), "avro has changed"
    assert repr(fastavro_seen) == repr(fastavro_expected), "fastavro has changed"
PY
"$work/venv/bin/python" "$work/write.py"
echo "As described: avro takes the last branch."
