"""A command that runs until it is told to end misses no signal, whenever it comes."""

import subprocess
import sys

import pytest

_BEGIN = """
import os, signal
from brixia_edge.runtime.commands.stopping import told_to_end

def send(*_):
    os.kill(os.getpid(), signal.{number})
"""

_BEFORE = """
with told_to_end() as wait:
    send()
    wait()
"""

_DURING = """
with told_to_end() as wait:
    signal.signal(signal.SIGALRM, send)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    wait()
"""

_AFTERWARDS = """
numbers = signal.SIGTERM, signal.SIGINT
before = [signal.getsignal(number) for number in numbers]
with told_to_end():
    pass
assert [signal.getsignal(number) for number in numbers] == before
assert signal.set_wakeup_fd(-1) == -1
"""


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("work", [_BEFORE, _DURING, _AFTERWARDS])
def test_a_signal_ends_the_wait_whenever_it_comes_and_nothing_else_is_changed(
    number: str, work: str
) -> None:
    # In a process of its own: what other tests loaded into this one has signal handlers, too.
    script = f"{_BEGIN.format(number=number)}{work}\nprint('went on')"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"went on\n"), done.stderr.decode()
