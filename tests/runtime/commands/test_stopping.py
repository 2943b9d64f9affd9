"""A command that runs until it is told to end misses no signal, whenever it comes."""

import os
import signal

import pytest
from brixia_edge.runtime.commands.stopping import told_to_end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_before_the_wait_ends_it(number: signal.Signals) -> None:
    with told_to_end() as wait:
        os.kill(os.getpid(), number)
        wait()


def _terminate(_number: int, _frame: object) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_that_comes_during_the_wait_ends_it() -> None:
    with told_to_end() as wait:
        before = signal.signal(signal.SIGALRM, _terminate)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            wait()
        finally:
            signal.signal(signal.SIGALRM, before)


def test_signals_do_afterwards_what_they_did_before() -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with told_to_end():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == handlers
    assert signal.set_wakeup_fd(-1) == -1
