"""The `fleetpulse` command as a whole."""

import subprocess
import sys

import pytest

from fleetpulse.cli import main
from fleetpulse.cli.main import Subcommand


def test_commands_that_an_image_does_not_have_are_not_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = {name: Subcommand(f"{name}.cli", "Away.") for name in ("absent", "absent.below")}
    monkeypatch.setattr(main, "COMMANDS", absent | {"generate": main.COMMANDS["generate"]})
    with pytest.raises(SystemExit) as ended:
        main.main(["--help"])
    assert ended.value.code == 0
    listed = capsys.readouterr().out
    assert "generate" in listed
    assert "absent" not in listed


@pytest.mark.parametrize("name", main.COMMANDS)
def test_the_list_says_of_a_command_what_the_command_says(name: str) -> None:
    command = main.COMMANDS[name].load()
    assert command.name == name
    assert command.get_short_help_str(200) == main.COMMANDS[name].meaning


def test_the_list_of_commands_loads_none_of_them() -> None:
    """Start-up must not wait for what is not asked for; which modules that is can be seen, a duration could not."""
    code = (
        "import sys\nfrom fleetpulse.cli.main import fleetpulse\n"
        "try:\n    fleetpulse.main(['--help'])\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "backtest" in done.stdout
    assert not loaded & {subcommand.module for subcommand in main.COMMANDS.values()}
    assert not loaded & {"confluent_kafka", "numpy", "pandas", "psycopg", "pyflink", "requests", "rich", "ruamel.yaml"}
