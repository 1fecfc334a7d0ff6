"""Kafka: one process that is broker and controller."""

import subprocess
import uuid
from pathlib import Path

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack.install.artifacts import jars
from fleetpulse.stack.install.wheels import java_home
from fleetpulse.stack.layout import Layout, project_root
from fleetpulse.stack.programs.program import Program

MAX_RECORD_BYTES = 16 << 20
_OVERHEAD_BYTES = 1 << 20  # headers and batch around the largest record


def program(stack: Layout) -> Program:
    """How to run the broker."""
    command = (*_java(stack), *_agent(stack), "-Xms512m", "-Xmx1g", "kafka.Kafka", str(_properties_file(stack)))
    return Program("kafka", command, "kafka")


def prepare(stack: Layout) -> None:
    """Write the configuration, and format the storage at the first start.

    Raises:
        FleetpulseError: Kafka refuses to format its folder.
    """
    _properties_file(stack).write_text("".join(f"{key}={value}\n" for key, value in properties(stack).items()))
    _logging_file(stack).write_text(_LOGGING)
    if not (_data(stack) / "meta.properties").exists():
        _format(stack)


def properties(stack: Layout) -> dict[str, str | int]:
    """The broker's configuration."""
    largest = MAX_RECORD_BYTES + _OVERHEAD_BYTES
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{stack.address('kafka-controller')}",
        "listeners": f"PLAINTEXT://{stack.address('kafka')},CONTROLLER://{stack.address('kafka-controller')}",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(_data(stack)),
        "auto.create.topics.enable": "false",
        "message.max.bytes": largest,
        "replica.fetch.max.bytes": largest,
        "socket.request.max.bytes": 4 * largest,
        # A job restored after a long pause must still be able to commit what it had written before.
        "transaction.max.timeout.ms": 3_600_000,
        # One broker: nothing to replicate, and fewer files to open.
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
    }


def _format(stack: Layout) -> None:
    cluster = str(uuid.uuid5(uuid.NAMESPACE_URL, stack.name))
    arguments = ("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(_properties_file(stack)))
    done = subprocess.run([*_java(stack), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise FleetpulseError(f"Kafka cannot format {_data(stack)}: {' '.join(last)}")


def _java(stack: Layout) -> tuple[str, ...]:
    classpath = ":".join(str(jar) for jar in jars("kafka"))
    return (
        str(java_home() / "bin" / "java"),
        f"-Dlog4j2.configurationFile={_logging_file(stack)}",
        "-Djava.net.preferIPv4Stack=true",
        "-cp",
        classpath,
    )


def _agent(stack: Layout) -> tuple[str, ...]:
    """What shows the broker's measures to Prometheus, where there is one."""
    if "prometheus" not in stack.optional:
        return ()
    [agent] = jars("prometheus")
    rules = project_root() / "deploy" / "observability" / "prometheus" / "kafka-jmx.yaml"
    return (f"-javaagent:{agent}={stack.address('kafka-metrics')}:{rules}",)


def _data(stack: Layout) -> Path:
    return stack.data / "kafka"


def _properties_file(stack: Layout) -> Path:
    return stack.run / "kafka.properties"


def _logging_file(stack: Layout) -> Path:
    return stack.run / "kafka-log4j2.properties"


_LOGGING = """\
rootLogger = INFO, console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c{1} %m%n
"""
