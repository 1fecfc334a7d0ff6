"""A newcomer goes the way of docs/your-data.md, word by word, and meets an alert; `doctor` sees what runs."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.support.embedded import EmbeddedStack, running_stack
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "your-data.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ALERT = "truck-2: fuel_l is 7.5, below 10."


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """A stack of this module's own, since `doctor` looks at all topics and jobs, also those of other tests."""
    with running_stack(tmp_path_factory.mktemp("first-hour")) as running:
        yield running


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as a newcomer has it, in a folder where files of their own can lie."""
    folder = tmp_path_factory.mktemp("checkout")
    for path in ROOT.iterdir():
        if path.name not in (".git", ".fleetpulse"):
            (folder / path.name).symlink_to(path)
    return folder


class Newcomer:
    """Types commands into a shell in the checkout. The stack is that of the folder, as with any command."""

    def __init__(self, stack: EmbeddedStack, checkout: Path) -> None:
        self._checkout = checkout
        named = ("KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS", "FLEETPULSE_PORT_OFFSET")
        kept = {name: value for name, value in os.environ.items() if name not in named}
        # A makefile's own variables would reach the makefile below it.
        kept = {name: value for name, value in kept.items() if not name.startswith("MAKE")}
        self._environment = kept | {"FLEETPULSE_DIR": str(stack.dir)}

    def types(self, commands: str, expected: int = 0) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self._checkout,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == expected, (commands, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture
def newcomer(own: EmbeddedStack, checkout: Path) -> Newcomer:
    return Newcomer(own, checkout)


def test_doctor_finds_a_stack_in_order_and_says_what_is_missing(newcomer: Newcomer) -> None:
    found = {line.split()[1]: line for line in newcomer.types("make doctor").splitlines()}
    states = {name: line.split()[0] for name, line in found.items()}
    in_order = ("python", "memory", "disk", "ports", "stack", "broker", "topics", "registry")
    assert {name: states[name] for name in in_order} == dict.fromkeys(in_order, "ok")
    assert "fault" not in states.values()
    assert "`make submit-monitor`" in found["jobs"]


def test_a_newcomer_sends_records_writes_a_rule_and_meets_an_alert(newcomer: Newcomer) -> None:
    start, send, check, submit, break_, see, apply = BLOCKS
    newcomer.types(start)
    shown = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert newcomer.types(send) == shown[0]
    assert "fuel_l in " in newcomer.types(check)
    newcomer.types(submit)
    newcomer.types(break_)
    wait_until("the alert to be in the database", lambda: ALERT in newcomer.types(see))
    assert ALERT in shown[1]
    assert re.search(r"version 2 takes effect|unchanged", newcomer.types(apply))
    doctor = newcomer.types("make doctor")
    assert re.search(r"^ok +jobs +fleetpulse (monitor|archive)", doctor, re.MULTILINE)
    assert re.search(r"^ok +database +alerts are stored", doctor, re.MULTILINE)
    assert re.search(r"^warning +telemetry .*`fuel_l` is dropped in ", doctor, re.MULTILINE)
    assert re.search(r"^ok +rules +version 1 is in force, rules: 1", doctor, re.MULTILINE)
