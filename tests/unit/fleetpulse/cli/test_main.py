"""The `fleetpulse` command as a whole."""

import pytest

from fleetpulse.cli import main


def test_commands_that_an_image_does_not_have_are_not_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "COMMANDS", {"absent": "absent.cli", "generate": "generator.cli"})
    monkeypatch.setattr(main, "PACKAGES", {"absent", "generator"})
    with pytest.raises(SystemExit) as ended:
        main.main(["--help"])
    assert ended.value.code == 0
    listed = capsys.readouterr().out
    assert "generate" in listed
    assert "absent" not in listed
