"""How the stack is given an object store."""

import stat
from pathlib import Path

import pytest
import yaml

from fleetpulse.errors import ConfigurationError
from fleetpulse.stack import lifecycle, submit
from fleetpulse.stack.layout import Layout, saved_layout
from fleetpulse.stack.processes import supervision
from fleetpulse.stack.programs import flink, kafka, postgres, s3

KEY, SECRET = "0123", "a/secret+key: #1"


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setattr(flink, "jars", lambda group: [Path("/jars") / f"{group}.jar"])
    monkeypatch.setattr(s3, "install", lambda: pytest.fail("nothing may be downloaded"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.delenv("FLEETPULSE_S3_ENDPOINT", raising=False)
    return Layout(tmp_path, 1000, frozenset({"s3"}))


def test_flink_is_told_keys_as_they_are_in_files_for_their_owner_alone(stack: Layout) -> None:
    flink.prepare(stack)
    for name in ("jobmanager", "taskmanager"):
        file = stack.run / f"{name}-conf" / "config.yaml"
        settings = yaml.safe_load(file.read_text())
        assert (settings["s3.access-key"], settings["s3.secret-key"]) == (KEY, SECRET)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_client_of_another_cluster_is_told_no_key(stack: Layout) -> None:
    flink.prepare(stack)
    flink.prepare_client(stack)
    assert SECRET not in (stack.run / "client-conf" / "config.yaml").read_text()


def test_buckets_are_part_of_the_path_wherever_it_is_not_amazon(monkeypatch: pytest.MonkeyPatch, stack: Layout) -> None:
    assert set(s3.settings(stack)) == {"s3.access-key", "s3.secret-key"}
    monkeypatch.setenv("FLEETPULSE_S3_ENDPOINT", "http://127.0.0.1:9000")
    assert s3.settings(stack)["s3.endpoint"] == "http://127.0.0.1:9000"
    assert s3.settings(stack)["s3.path.style.access"] == "true"


@pytest.fixture
def own(stack: Layout, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A stack whose environment names no store."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setattr(s3, "jars", lambda group: [Path("/jars") / f"{group}.jar"])
    stack.run.mkdir()
    return stack


def test_a_store_of_its_own_has_keys_of_its_own_that_flink_knows(own: Layout) -> None:
    s3.prepare(own)
    file = own.run / "s3.properties"
    server = dict(line.split("=", 1) for line in file.read_text().splitlines())
    flink_knows = s3.settings(own)
    assert server["s3proxy.identity"] == flink_knows["s3.access-key"] != flink_knows["s3.secret-key"]
    assert server["s3proxy.credential"] == flink_knows["s3.secret-key"]
    assert server["s3proxy.authorization"] == "aws-v2-or-v4"
    assert server["s3proxy.endpoint"] == flink_knows["s3.endpoint"] == "http://127.0.0.1:10000"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((own.data / "s3" / "sensor-cold").stat().st_mode) == 0o700
    assert [program.name for program in s3.programs(own)] == ["s3"]


def test_a_store_elsewhere_needs_no_server_and_no_port(stack: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(lifecycle, "check_ports", lambda _stack, names: asked.extend(names))
    monkeypatch.setattr(s3, "install", lambda: None)
    monkeypatch.setattr(kafka, "prepare", lambda _stack: None)
    monkeypatch.setattr(postgres, "prepare", lambda _stack: None)
    lifecycle._prepare(stack)
    assert "kafka" in asked
    assert "s3" not in asked
    assert s3.programs(stack) == []
    assert s3.reached_at(stack) == {}


def test_the_cold_storage_job_writes_to_the_stacks_own_store(own: Layout) -> None:
    assert submit.defaults(own, "cold")[-1] == own.cold.as_uri()
    s3.prepare(own)
    assert submit.defaults(own, "cold")[-2:] == ["--cold.path", "s3://sensor-cold/telemetry"]


def test_flink_keeps_the_plugins_it_came_with(stack: Layout) -> None:
    flink.prepare(stack)
    plugins = Path(flink.environment(stack)["FLINK_PLUGINS_DIR"])
    assert list((plugins / "metrics-prometheus").glob("*.jar"))
    assert (plugins / "s3-fs-hadoop" / "s3.jar").is_symlink()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("AWS_SECRET_ACCESS_KEY", "", "needs AWS_SECRET_ACCESS_KEY in the environment"),
        ("FLEETPULSE_S3_ENDPOINT", "127.0.0.1:9000", "expected a URL like"),
        ("FLEETPULSE_S3_ENDPOINT", "http://user:word@store", "expected a URL like"),
    ],
)
def test_a_store_that_cannot_be_reached_is_refused_before_anything_is_downloaded(
    stack: Layout, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=says) as refused:
        list(lifecycle.up(stack))
    assert "word" not in str(refused.value)


def test_a_flink_that_runs_without_it_has_to_be_stopped_first(stack: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    Layout(stack.root, 1000).save()
    monkeypatch.setattr(supervision, "is_running", lambda _stack: True)
    with pytest.raises(ConfigurationError, match="--with s3: Flink runs without it; stop it first"):
        list(lifecycle.up(stack))
    assert saved_layout(stack.root).optional == frozenset()
