import os
import signal

import pytest

from generator.sending.interrupt import Stop, on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_to_stop_and_a_second_one_insists(number):
    with on_signals() as stop:
        assert not stop.asked()
        os.kill(os.getpid(), number)
        assert stop.asked()
        assert not stop.insisted()
        os.kill(os.getpid(), number)
        assert stop.insisted()


def test_patience_ends_after_30_seconds():
    now = [100.0]
    stop = Stop(lambda: now[0])
    stop.ask()
    now[0] = 130.0
    assert not stop.insisted()
    now[0] = 130.1
    assert stop.insisted()


def test_the_handlers_of_before_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with on_signals():
        assert signal.getsignal(signal.SIGTERM) != before

    assert signal.getsignal(signal.SIGTERM) == before
