"""One line says which broker a command uses, or that none answers."""

import socket
from pathlib import Path

import pytest

from fleetpulse.cli.connections import Address
from fleetpulse.cli.folder import FolderStack
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.broker import reach

NOWHERE = "127.0.0.1:1"  # where nobody listens
STACK = FolderStack(Path.cwd() / ".fleetpulse", 0, frozenset())


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
            f"{NOWHERE} (the stack in .x): Connection refused; start the stack",
        ),
        (Address("no-such-host.invalid:9092", "KAFKA_BROKERS"), "no broker answers at no-such-host.invalid:9092"),
    ],
    ids=["named", "of the stack", "a name without an address"],
)
def test_what_does_not_answer_is_named_with_what_to_do(address: str, said: str, capsys) -> None:
    with pytest.raises(ConfigurationError) as refused:
        reach(address)
    assert said in str(refused.value)
    assert capsys.readouterr() == ("", "")


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
