"""`fleetpulse dlq` says in one line what is wrong with its arguments."""

from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "17"], "17: a letter's id is partition:offset"),
        (["replay", "a:b"], "a:b: a letter's id is partition:offset"),
        (["replay", "0:1", "0:2", "--value", "FILE"], "--value: a repaired value needs exactly one ID"),
        (["replay", "--value", "FILE"], "--value: a repaired value needs exactly one ID"),
        (["replay", "--max.retries", "0"], "'0': expected a whole number from 1 to 1,000"),
        (["list", "--reason", "ugly"], "'ugly' is not one of 'empty'"),
        (["list", "--since", "yesterday"], "'yesterday' is neither ISO 8601"),
        (["stats", "--limit", "3"], "No such option"),
    ],
)
def test_bad_arguments_are_one_line(arguments: list[str], said: str, tmp_path: Path, capsys) -> None:
    (tmp_path / "value").touch()
    given = [str(tmp_path / "value") if argument == "FILE" else argument for argument in arguments]
    assert run(fleetpulse, ["dlq", *given]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_the_number_of_retries_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("MAX_RETRIES", "many")
    assert run(fleetpulse, ["dlq", "replay"]) == 2
    assert "'many': expected a whole number from 1" in capsys.readouterr().err
