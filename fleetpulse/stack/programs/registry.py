"""A schema registry: Apicurio, by Confluent's interface, its schemas in a file of an H2 database."""

from fleetpulse.cli.connections import REGISTRY_PATH
from fleetpulse.stack.install.artifacts import locked, unpack
from fleetpulse.stack.install.wheels import java_home
from fleetpulse.stack.layout import HOST, Layout, artifacts_dir
from fleetpulse.stack.programs.program import Program

_SETTINGS = {
    "quarkus.http.host": HOST,
    "quarkus.management.host": HOST,
    "quarkus.management.port": 0,  # cannot be switched off; any free one
    "quarkus.http.access-log.enabled": "false",
    'quarkus.log.category."io.apicurio".level': "WARN",  # else two lines a request
    "quarkus.log.console.format": "%d{yyyy-MM-dd HH:mm:ss,SSS} %p [%c{1.}] %m%n",
    "apicurio.storage.kind": "sql",
    "apicurio.storage.sql.kind": "h2",
    "apicurio.datasource.jdbc.initial-size": 1,
    "apicurio.datasource.jdbc.min-size": 1,
}
[_ARCHIVE] = [artifact for artifact in locked() if artifact.group == "registry"]


def install() -> None:
    """Download the registry where it is not there.

    Raises:
        FleetpulseError: it cannot be downloaded.
    """
    unpack(artifacts_dir(), _ARCHIVE)


def program(stack: Layout) -> Program:
    """How to run the registry."""
    own = {
        "java.io.tmpdir": stack.tmp,
        "quarkus.http.port": stack.ports["registry"],
        "apicurio.datasource.url": f"jdbc:h2:file:{stack.data / 'registry' / 'schemas'}",
    }
    settings = [f"-D{name}={value}" for name, value in (_SETTINGS | own).items()]
    jar = artifacts_dir() / _ARCHIVE.folder / "quarkus-run.jar"
    command = (str(java_home() / "bin" / "java"), "-Xmx256m", *settings, "-jar", str(jar))
    return Program("registry", command, "registry")


def url(stack: Layout) -> str:
    """Where its interface is that Confluent's clients know."""
    return f"http://{stack.address('registry')}{REGISTRY_PATH}"
