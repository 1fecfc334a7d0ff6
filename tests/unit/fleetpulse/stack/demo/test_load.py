"""`fleetpulse load`: what it sends."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from fleetpulse.stack.demo.load import _generator, command
from fleetpulse.stack.layout import Layout


@pytest.mark.parametrize(("arguments", "rate"), [([], "5000"), (["--rate", "10000"], "10000")])
def test_5_000_records_a_second_are_sent_unless_another_rate_is_asked_for(
    arguments: list[str], rate: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sent = Mock()
    monkeypatch.setattr("subprocess.Popen", sent)
    given = command.make_context("load", arguments).params
    with _generator(Layout(tmp_path), given["topic"], given["rate"], given["duration_ms"]):
        [words] = sent.call_args.args
    assert words[words.index("--rate") + 1] == rate
    assert words[words.index("--topic") + 1] == "telemetry.raw"
