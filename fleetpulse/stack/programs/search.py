"""A search server, OpenSearch, and its index of readings."""

import json
import os
import sys

import requests

from fleetpulse.errors import FleetpulseError
from fleetpulse.search.cli import INDEX, TOPICS
from fleetpulse.stack.install.artifacts import locked, unpack
from fleetpulse.stack.install.wheels import java_home
from fleetpulse.stack.layout import HOST, Layout, artifacts_dir, project_root
from fleetpulse.stack.processes.after import after
from fleetpulse.stack.programs import registry
from fleetpulse.stack.programs.program import Program
from fleetpulse.topics import SENSOR_RAW

[_ARCHIVE] = [artifact for artifact in locked() if artifact.group == "search"]
_TIMEOUT_S = 120  # it answers while it still starts
_HOME = artifacts_dir() / _ARCHIVE.folder / _ARCHIVE.folder
_JAVA_OPTIONS = (
    *("-Xms256m", "-Xmx512m"),
    "-Djava.security.manager=allow",  # it guards itself with one
    "-Djna.nosys=true",
    *("-Dlog4j.shutdownHookEnabled=false", "-Dlog4j2.disable.jmx=true"),
    *("-Dio.netty.noUnsafe=true", "-Dio.netty.noKeySetOptimization=true"),
    *("-Dopensearch.distribution.type=zip", "-Dopensearch.bundled_jdk=false"),
)


def install() -> None:
    """Download the server where it is not there.

    Raises:
        FleetpulseError: it cannot be downloaded.
    """
    unpack(artifacts_dir(), _ARCHIVE)


def programs(stack: Layout) -> list[Program]:
    """How to run the server, and what fills its index with all that Vector does not."""
    command = (
        str(java_home() / "bin" / "java"),
        *_JAVA_OPTIONS,
        *_as_root(),
        f"-Djava.io.tmpdir={stack.tmp}",
        f"-Dopensearch.path.home={_HOME}",
        f"-Dopensearch.path.conf={stack.run / 'search-conf'}",
        *("-cp", str(_HOME / "lib" / "*"), "org.opensearch.bootstrap.OpenSearch"),
    )
    server = Program("search", command, "search")
    topics = _topics(stack)
    return [server, _indexer(stack, topics)] if topics else [server]


def _as_root() -> tuple[str, ...]:
    """What keeps the server from seeing that it is root, which it would refuse. All the stack's Java is, then."""
    return ("-Djna.nounpack=true",) if os.geteuid() == 0 else ()


def _topics(stack: Layout) -> list[str]:
    """The topics that the indexer reads: Vector reads those in JSON, and Avro needs the registry."""
    in_json = () if "vector" in stack.optional else TOPICS
    return [*in_json, *([SENSOR_RAW.name] if "registry" in stack.optional else ())]


def _indexer(stack: Layout, topics: list[str]) -> Program:
    """How to run what fills the index."""
    command = [sys.executable, "-m", "fleetpulse.search.cli", "--kafka.bootstrap.servers", stack.address("kafka")]
    command += ["--search.url", url(stack), "--search.index", INDEX, "--events.topic", ";".join(topics)]
    if "registry" in stack.optional:
        command += ["--schema.registry.url", registry.url(stack)]
    # An index that it made itself would not be as the template says.
    return Program("indexer", after(template_url(stack), tuple(command)), None, {"PYTHONPATH": str(project_root())})


def prepare(stack: Layout) -> None:
    """Write its configuration."""
    folder = stack.run / "search-conf"
    folder.mkdir(exist_ok=True)
    lines = [f"{name}: {json.dumps(value)}\n" for name, value in settings(stack).items()]
    (folder / "opensearch.yml").write_text("".join(lines))
    (folder / "log4j2.properties").write_text(_LOGGING)


def settings(stack: Layout) -> dict[str, str | int]:
    """The server's configuration."""
    return {
        "cluster.name": "fleetpulse",
        "node.name": "search",
        "discovery.type": "single-node",
        "network.host": HOST,
        "http.port": stack.ports["search"],
        "transport.port": stack.ports["search-transport"],
        "path.data": str(stack.data / "search"),
        "path.logs": str(stack.logs),
        # It stops writing where the stack would not start either, and not at so many percent of a large disk.
        "cluster.routing.allocation.disk.watermark.low": "3gb",
        "cluster.routing.allocation.disk.watermark.high": "2gb",
        "cluster.routing.allocation.disk.watermark.flood_stage": "1gb",
    }


def url(stack: Layout) -> str:
    """Where its interface is."""
    return f"http://{stack.address('search')}"


def answers(stack: Layout) -> dict[str, str]:
    """What answers once what was indexed before can be searched."""
    return {"search": f"{url(stack)}/_cluster/health?wait_for_status=yellow&timeout=1s"}


def settle(stack: Layout) -> None:
    """Put the index's template in place, and make the index where it is not there.

    Raises:
        FleetpulseError: the server refuses.
    """
    template = json.loads((project_root() / "deploy" / "observability" / "search" / f"{INDEX}.json").read_text())
    try:
        requests.put(template_url(stack), json=template, timeout=_TIMEOUT_S).raise_for_status()
        if requests.head(f"{url(stack)}/{INDEX}", timeout=_TIMEOUT_S).status_code == requests.codes.not_found:
            requests.put(f"{url(stack)}/{INDEX}", timeout=_TIMEOUT_S).raise_for_status()
    except requests.RequestException as refused:
        raise FleetpulseError(f"index {INDEX} cannot be made: {refused}") from refused


def template_url(stack: Layout) -> str:
    """What answers once an index is made as it should be, whoever writes to it first."""
    return f"{url(stack)}/_index_template/{INDEX}"


_LOGGING = """\
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c{1} %m%n
"""
