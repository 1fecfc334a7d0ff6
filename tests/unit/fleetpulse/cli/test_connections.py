"""What a command connects to: the argument, else the environment, else the stack of the folder, else nothing."""

import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from fleetpulse.cli.connections import Address, brokers, schema_registry_if_any, search_server
from fleetpulse.cli.database import OWNER, Database, jdbc, libpq, of_the_stack
from fleetpulse.cli.folder import stack_of
from fleetpulse.cli.settings import parse, setting
from fleetpulse.errors import ConfigurationError

SERVERS = "--kafka.bootstrap.servers"
VARIABLES = ("KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS", "FLEETPULSE_KAFKA_BOOTSTRAP_SERVERS")


@dataclass(frozen=True, kw_only=True)
class Settings:
    bootstrap_servers: str = brokers()
    registry_url: str | None = schema_registry_if_any()
    search_url: str | None = search_server(click.STRING)
    database_url: str | None = setting("database.url", Database(), "Database.", **of_the_stack(OWNER))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder without a stack, and an environment that names nothing."""
    monkeypatch.chdir(tmp_path)
    for name in (*VARIABLES, "SCHEMA_REGISTRY_URL", "FLEETPULSE_DIR", "FLEETPULSE_PORT_OFFSET"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def stack_in(folder: Path, offset: int, *optional: str) -> Path:
    (folder / "secrets").mkdir(parents=True)
    (folder / "stack.json").write_text(json.dumps({"port_offset": offset, "with": optional}))
    return folder


def found(*arguments: str) -> tuple[str, str]:
    servers = parse(Settings, arguments).bootstrap_servers
    assert isinstance(servers, Address)
    return servers, servers.source


def test_the_stack_of_the_current_folder_is_used(here: Path) -> None:
    stack_in(here / ".fleetpulse", 1000)
    assert found() == ("127.0.0.1:10092", "the stack in .fleetpulse")


def test_another_folder_may_be_named_by_a_variable_or_an_argument(
    here: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_in(here / ".fleetpulse", 1000)
    elsewhere = stack_in(tmp_path_factory.mktemp("elsewhere"), 2000)
    monkeypatch.setenv("FLEETPULSE_DIR", str(elsewhere))
    assert found() == ("127.0.0.1:11092", f"the stack in {elsewhere}")
    assert found("--dir", ".fleetpulse") == ("127.0.0.1:10092", "the stack in .fleetpulse")


def test_a_stack_is_reached_at_its_own_ports_whatever_offset_the_environment_has(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_in(here / ".fleetpulse", 1000)
    monkeypatch.setenv("FLEETPULSE_PORT_OFFSET", "500")
    assert found()[0] == "127.0.0.1:10092"


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_counts_more_than_the_folder_and_less_than_an_argument(
    here: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_in(here / ".fleetpulse", 0)
    monkeypatch.setenv(variable, "a:1;b:2")
    assert found() == ("a:1,b:2", variable)
    assert found(SERVERS, "c:3") == ("c:3", SERVERS)


def test_a_folder_that_is_an_argument_counts_more_than_a_variable(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack_in(here / "mine", 7)
    monkeypatch.setenv("KAFKA_BROKERS", "somebody-elses:9092")
    assert found("--dir", "mine") == ("127.0.0.1:9099", "the stack in mine")
    assert found("--dir", "mine", SERVERS, "c:3") == ("c:3", SERVERS)


def test_without_any_of_them_nothing_is_guessed() -> None:
    settings = parse(Settings, [])
    assert settings == Settings(bootstrap_servers="", registry_url=None, search_url=None, database_url=None)


def test_a_folder_that_is_named_must_have_a_stack(here: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"--dir {here}/none: no stack was started there"):
        parse(Settings, ["--dir", "none"])
    (here / "file").touch()
    with pytest.raises(ConfigurationError, match=f"--dir {here}/file/stack: {here}/file is no folder"):
        parse(Settings, ["--dir", "file/stack"])


def test_settings_of_a_stack_that_cannot_be_read_are_named(here: Path) -> None:
    (stack_in(here / ".fleetpulse", 0) / "stack.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"stack\.json cannot be read"):
        parse(Settings, [])


def test_all_that_a_stack_has_is_found_in_the_same_way(here: Path) -> None:
    stack = stack_in(here / ".fleetpulse", 1000, "registry", "search")
    settings = parse(Settings, [])
    assert settings.registry_url == "http://127.0.0.1:9085/apis/ccompat/v7"
    assert settings.search_url == "http://127.0.0.1:10200"
    assert settings.database_url == "postgresql://owner@127.0.0.1:6432/monitoring"
    (stack / "secrets" / "owner").write_text("sesame\n")
    assert libpq(settings.database_url) == "postgresql://owner:sesame@127.0.0.1:6432/monitoring"


def test_what_a_stack_does_not_have_is_not_named(here: Path) -> None:
    stack_in(here / ".fleetpulse", 0)
    settings = parse(Settings, [])
    assert (settings.registry_url, settings.search_url) == (None, None)


def test_records_of_another_broker_are_not_read_with_this_stack_s_schemas(here: Path) -> None:
    stack_in(here / ".fleetpulse", 0, "registry", "search")
    settings = parse(Settings, [SERVERS, "elsewhere:9092"])
    assert settings.registry_url is None
    assert settings.search_url is not None


def test_the_jdbc_driver_gets_the_same_database_without_a_user(here: Path) -> None:
    stack_in(here / ".fleetpulse", 1000)
    url = of_the_stack()["of_stack"](stack_of())
    assert jdbc(url, {}) == ("jdbc:postgresql://127.0.0.1:6432/monitoring?", None)


def test_a_worker_that_is_sent_an_address_gets_its_text() -> None:
    sent = pickle.loads(pickle.dumps(Address("localhost:9092", "KAFKA_BROKERS")))
    assert (sent, type(sent)) == ("localhost:9092", str)
