"""One line says which broker a command uses, or that none answers."""

import socket
from pathlib import Path

import pytest

from fleetpulse.cli.connections import Address
from fleetpulse.cli.folder import FolderStack
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.broker import reach
from fleetpulse.stack.layout import Layout
from tests.unit.fleetpulse.stack.running import a_process_of

NOWHERE = "127.0.0.1:1"  # where nobody listens
STACK = FolderStack(Path("/nowhere"), 0, frozenset())


def test_a_broker_that_answers_is_named_on_standard_error_alone(broker: str, capsys) -> None:
    assert reach(Address(broker, "KAFKA_BROKERS")) == broker
    assert capsys.readouterr() == ("", f"broker {broker} (KAFKA_BROKERS)\n")


def test_one_of_several_is_enough(broker: str) -> None:
    assert reach(f"{NOWHERE},{broker}") == f"{NOWHERE},{broker}"


def test_without_a_broker_the_three_ways_to_name_one_are_shown() -> None:
    with pytest.raises(ConfigurationError) as refused:
        reach("")
    for way in ("--kafka.bootstrap.servers", "KAFKA_BROKERS", "`make stack-up`"):
        assert way in str(refused.value)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (Address(NOWHERE, "KAFKA_BROKERS"), f"{NOWHERE} (KAFKA_BROKERS): Connection refused; is it up"),
        (
            Address(NOWHERE, "the stack in .x", STACK),
            f"{NOWHERE} (the stack in .x): it does not run; start the stack",
        ),
        (Address("no-such-host.invalid:9092", "KAFKA_BROKERS"), "no broker answers at no-such-host.invalid:9092"),
    ],
    ids=["named", "of a stack that does not run", "a name without an address"],
)
def test_what_does_not_answer_is_named_with_what_to_do(address: str, said: str, capsys) -> None:
    with pytest.raises(ConfigurationError) as refused:
        reach(address)
    assert said in str(refused.value)
    assert capsys.readouterr() == ("", "")


def test_a_broker_of_a_stack_that_runs_is_reached_and_one_that_is_down_is_named(broker: str, tmp_path: Path) -> None:
    stack = FolderStack(tmp_path, 0, frozenset())
    with a_process_of(Layout(tmp_path, 0)):
        assert reach(Address(broker, "the stack", stack)) == broker
        with pytest.raises(ConfigurationError, match="Connection refused; start the stack with `make stack-up`"):
            reach(Address(NOWHERE, "the stack", stack))
    with pytest.raises(ConfigurationError, match="it does not run"):
        reach(Address(broker, "the stack", stack))


def test_a_broker_that_never_accepts_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetpulse.cli.reachable._ANSWER_S", 0.05)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        taken = [socket.socket() for _ in range(8)]
        try:
            for one in taken:  # nobody accepts them, so the queue is full
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            with pytest.raises(ConfigurationError, match=r"no answer within 0.05 s|timed out"):
                reach(f"127.0.0.1:{port}")
        finally:
            for one in taken:
                one.close()
