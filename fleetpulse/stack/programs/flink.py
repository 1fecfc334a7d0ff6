"""Flink: a JobManager and a TaskManager from the distribution inside the PyFlink package, which stays as it is."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from ruamel.yaml import YAML

from fleetpulse.stack.install.artifacts import jars
from fleetpulse.stack.install.disk import write_private
from fleetpulse.stack.install.wheels import flink_home, java_home
from fleetpulse.stack.layout import Layout, project_root
from fleetpulse.stack.processes import successor
from fleetpulse.stack.programs import s3
from fleetpulse.stack.programs.program import Program

_OF_THE_CLIENT = (
    "python.client.executable",
    "env.java.home",
    "env.java.opts.all",
    "env.java.opts.client",
    "env.log.dir",
    "env.pid.dir",
)
_S3 = "s3-fs-hadoop"  # the plugin


def programs(stack: Layout) -> list[Program]:
    """How to run the JobManager and the TaskManager."""
    taskmanager = _program(stack, "taskmanager", "taskmanager-metrics")
    # A TaskManager that is killed leaves its Python workers behind.
    marked = {**taskmanager.environment, successor.MARK: f"{stack.name} taskmanager"}
    return [
        _program(stack, "jobmanager", "flink-web"),
        replace(taskmanager, command=successor.command(taskmanager.command), environment=marked),
    ]


def prepare(stack: Layout) -> None:
    """Write both processes' configuration and the folders of libraries and plugins they load."""
    stack.tmp.mkdir(parents=True, exist_ok=True)
    for name in ("jobmanager", "taskmanager"):
        folder = _conf(stack, name)
        folder.mkdir(parents=True, exist_ok=True)
        for file in (project_root() / "flink-conf").glob("*.properties"):
            shutil.copy(file, folder)
        write_private(folder / "config.yaml", configuration(stack, name))
    link_libraries(_lib(stack))
    _link_plugins(stack)


def prepare_client(stack: Layout) -> None:
    """Write, after `prepare`, the configuration of a client of another cluster, whose settings it must not override."""
    folder = _conf(stack, "client")
    shutil.copytree(_conf(stack, "jobmanager"), folder, dirs_exist_ok=True)
    settings = YAML(typ="safe").load(folder / "config.yaml")
    (folder / "config.yaml").write_text("".join(f"{key}: {settings[key]}\n" for key in _OF_THE_CLIENT))


def configuration(stack: Layout, name: str) -> str:
    """The text of `config.yaml` of a process: the checked-in file, then what belongs to this machine and stack."""
    tmp = f"-Djava.io.tmpdir={stack.tmp}"  # PyFlink's folder in the system's one belongs to whoever was first
    own: dict[str, object] = {
        "jobmanager.rpc.port": stack.ports["jobmanager"],
        "rest.port": stack.ports["flink-web"],
        "rest.bind-port": stack.ports["flink-web"],
        "metrics.reporter.prom.port": stack.ports[f"{name}-metrics"],
        "execution.checkpointing.dir": stack.checkpoints.as_uri(),
        "execution.checkpointing.savepoint-dir": stack.savepoints.as_uri(),
        "io.tmp.dirs": stack.tmp,
        "web.log.path": stack.logs / "jobmanager.log",
        "taskmanager.log.path": stack.logs / "taskmanager.log",
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "env.java.opts.jobmanager": f"{tmp} {_loopback_agent()}",
        "env.java.opts.taskmanager": f"{tmp} {_loopback_agent()}",
        "env.java.opts.client": f"{tmp} -XX:TieredStopAtLevel=1",  # a submission is over before the C2 compiler pays
        "env.java.home": java_home(),
        "env.log.dir": stack.logs,
        "env.pid.dir": stack.run,
    }
    if "s3" in stack.optional:
        own |= {key: json.dumps(value) for key, value in s3.settings(stack).items()}  # a key may look like a number
    shared = (project_root() / "flink-conf" / "config.yaml").read_text()
    return shared + "\n" + "".join(f"{key}: {value}\n" for key, value in own.items())


def environment(stack: Layout, name: str = "jobmanager") -> dict[str, str]:
    """What Flink's own scripts need to find this stack's cluster; also right for `flink run`."""
    return {
        "FLINK_HOME": str(flink_home()),
        "FLINK_CONF_DIR": str(_conf(stack, name)),
        "FLINK_LIB_DIR": str(_lib(stack)),
        "FLINK_PLUGINS_DIR": str(_plugins(stack)),
        "FLINK_LOG_DIR": str(stack.logs),
        "FLINK_PID_DIR": str(stack.run),
        "FLINK_IDENT_STRING": "fleetpulse",
        "JAVA_HOME": str(java_home()),
    }


def flink_command() -> tuple[str, ...]:
    """Flink's command line client."""
    return ("bash", str(flink_home() / "bin" / "flink"))


def _program(stack: Layout, name: str, listens: str) -> Program:
    # A wheel does not keep its scripts executable everywhere, hence bash. The script ends by becoming Java.
    command = ("bash", str(flink_home() / "bin" / f"{name}.sh"), "start-foreground")
    return Program(name, command, listens, environment(stack, name))


def _loopback_agent() -> str:
    [agent] = jars("agent")
    return f"-javaagent:{agent}=boot:{agent},script:{project_root() / 'flink-conf' / 'loopback.btm'}"


def link_libraries(folder: Path) -> None:
    """Fill a folder with links to what Flink's processes load: its own libraries, the connectors and PyFlink's part.

    Left in `opt`, PyFlink's part is loaded anew for each job, and stays: 36 MB of metaspace a job.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pyflink = (flink_home() / "opt").glob("flink-python-*.jar")
    for jar in [*(flink_home() / "lib").glob("*.jar"), *pyflink, *jars("flink")]:
        (folder / jar.name).symlink_to(jar)


def _link_plugins(stack: Layout) -> None:
    folder = _plugins(stack)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for plugin in (flink_home() / "plugins").iterdir():
        (folder / plugin.name).symlink_to(plugin)
    if "s3" in stack.optional:
        (folder / _S3).mkdir()
        for jar in jars("s3"):
            (folder / _S3 / jar.name).symlink_to(jar)


def _conf(stack: Layout, name: str) -> Path:
    return stack.run / f"{name}-conf"


def _lib(stack: Layout) -> Path:
    return stack.run / "flink-lib"


def _plugins(stack: Layout) -> Path:
    return stack.run / "flink-plugins"
