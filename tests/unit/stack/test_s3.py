"""How the stack is told of an object store."""

import stat
from pathlib import Path

import pytest
import yaml

from fleetpulse.errors import ConfigurationError
from stack import flink, lifecycle, s3, supervision
from stack.layout import Layout, saved_options

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
    assert set(s3.settings()) == {"s3.access-key", "s3.secret-key"}
    monkeypatch.setenv("FLEETPULSE_S3_ENDPOINT", "http://127.0.0.1:9000")
    assert s3.settings()["s3.endpoint"] == "http://127.0.0.1:9000"
    assert s3.settings()["s3.path.style.access"] == "true"


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
    assert saved_options(stack.root) == frozenset()
