"""The archive job as it is assembled, and what it says to arguments it cannot use."""

from pathlib import Path

import pytest
from pyflink.datastream import StreamExecutionEnvironment

from fleetpulse.cli.commandline import run
from fleetpulse.cli.settings import parse
from jobs.archive import OPERATOR_NAMES, Settings, build, command, plan
from jobs.wiring.running import environment
from tests.jobs.test_deciding_jobs import each, uids

pytestmark = pytest.mark.jobs

GOLDEN_UIDS = Path(__file__).parent / "uids" / "archive.txt"
EVERYTHING = "readings,alerts,aggregates"


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETPULSE_DATABASE_PASSWORD", "secret")


def assembled(kinds: str) -> StreamExecutionEnvironment:
    planned = plan(parse(Settings, ["--archive", kinds]), "secret")
    made = environment(planned.flink)
    build(made, planned)
    return made


def test_operators_have_the_ids_that_savepoints_know() -> None:
    """Changed on purpose? Then write the new ids to the file, and say in the changelog what a restore needs."""
    assert uids(assembled(EVERYTHING)) == GOLDEN_UIDS.read_text().splitlines()


@pytest.mark.parametrize("kinds", ["alerts", "aggregates", "readings", "readings,aggregates"])
def test_each_kind_has_its_ids_whatever_else_is_archived(kinds: str) -> None:
    assert set(uids(assembled(kinds))) < set(GOLDEN_UIDS.read_text().splitlines())


def test_operators_of_aggregates_and_readings_have_names_for_people() -> None:
    graph = assembled("aggregates,readings")._j_stream_execution_environment.getStreamGraph(False)
    shown = {str(node.getOperatorName()).split(": ")[-1] for node in each(graph.getStreamNodes())}
    assert shown == set(OPERATOR_NAMES.values())


def test_check_submits_nothing() -> None:
    assert run(command, ["--check"]) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--database.url", "localhost"], "jdbc:postgresql://", id="not a JDBC URL"),
        pytest.param(["--archive", "alerts,plain"], "list of alerts, aggregates, readings", id="an unknown kind"),
        pytest.param(["--archive", ""], "list of alerts, aggregates, readings", id="no kind"),
        pytest.param(["--archive", "alerts,alerts"], "list of alerts, aggregates, readings", id="a kind twice"),
        pytest.param(["--alerts.topic", "a;b"], "is no topic name", id="several topics of alerts"),
        pytest.param(["--aggregates.topic", "a;;b"], "separated by ';'", id="an empty topic"),
        pytest.param(["--parallelism", "0"], "expected a whole number from 1 to 128", id="no subtask"),
        pytest.param(["--parallelism", "two"], "expected a whole number from 1 to 128", id="no number"),
        pytest.param(["--database.password.file", "/no/such/file"], "does not exist", id="no password file"),
        pytest.param(["--database.password", "secret"], "No such option", id="a password on the command line"),
    ],
)
def test_bad_arguments_end_with_one_line(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, ["--check", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_a_password_is_needed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("FLEETPULSE_DATABASE_PASSWORD")
    assert run(command, ["--check"]) == 2
    assert "FLEETPULSE_DATABASE_PASSWORD" in capsys.readouterr().err


def test_the_password_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FLEETPULSE_DATABASE_PASSWORD")
    file = tmp_path / "password"
    file.write_text("secret\n")
    assert run(command, ["--check", "--database.password.file", str(file)]) == 0
