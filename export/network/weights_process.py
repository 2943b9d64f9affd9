"""Reading a file of weights in a process of its own, within limits.

HDF5 is written in C, and a damaged file of weights has sent it into a loop that never ends. Here it
can take no more than some memory and time, and what it crashes is not this process. What the other
process says is checked before it is believed, see `runtime.sources.messages`.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from ...runtime.errors import WeightsError
from ...runtime.sources.messages import BrokenMessage, Message, answers, receive, send, text
from ...runtime.sources.process_limits import limit_further_time, limit_process
from .keras_file import SavedWeight, read_keras_file

_START = (
    "import sys; sys.path[:] = sys.argv[4:];"
    "from brixia_edge.export.network.weights_process import main; main()"
)
"""Looks for modules where this process does: `python -m` would take any from the current folder."""

_WAITING_SECONDS = 120.0
"""Of the clock: the file may lie on a slow disk."""

_STOPPING_SECONDS = 5.0


@dataclass(frozen=True)
class WeightsLimits:
    """What reading one file may take.

    Attributes
    ----------
    memory
        Bytes of address space.
    seconds
        Of the processor; a BS-Net takes less than one.
    """

    memory: int = 2**30
    seconds: float = 8.0


def read_in_process(path: Path, limits: WeightsLimits = WeightsLimits()) -> list[SavedWeight]:
    """Read every weight of a Keras HDF5 file as `read_keras_file` does, in another process.

    Raises
    ------
    WeightsError
        As there; or reading takes more than the limits, or crashes the process, or the system
        starts none.
    """
    process = _started(path, limits)
    timer = threading.Timer(_WAITING_SECONDS, process.kill)
    timer.start()
    try:
        answer = receive(cast(BinaryIO, process.stdout))
        if "error" in answer.header:
            raise WeightsError(text(answer.header["error"]))
        return list(_unpacked(answer))
    except (BrokenMessage, OSError, ValueError, TypeError, LookupError) as error:
        raise WeightsError(
            f"{path} {_ending(process)}: it is damaged, or crafted to do so. Copy it again from "
            "its source"
        ) from error
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        cast(BinaryIO, process.stdout).close()


def main() -> None:
    """Read the file that the command line names, after the limits, and send what it holds."""
    memory, seconds, path = sys.argv[1:4]
    stream = answers()
    limit_process(int(memory))
    limit_further_time(float(seconds))
    try:
        answer = _packed(read_keras_file(Path(path)))
    except WeightsError as error:
        answer = Message({"error": str(error)})
    send(stream, answer)


def _started(path: Path, limits: WeightsLimits) -> "subprocess.Popen[bytes]":
    told = [str(limits.memory), str(limits.seconds), os.path.abspath(path)]
    try:
        return subprocess.Popen(  # noqa: S603 - this interpreter
            [sys.executable, "-c", _START, *told, *sys.path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Each thread of OpenBLAS takes address space.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            # Ctrl-C is for this process, which then ends the other.
            start_new_session=True,
        )
    except OSError as error:
        raise WeightsError(
            f"the process that reads {path} cannot be started: {error.strerror}; run brixia-edge "
            "with a Python interpreter of its own"
        ) from error


def _packed(weights: list[SavedWeight]) -> Message:
    """All values in one array, and a list of whose they are."""
    listed = [[weight.layer, weight.name, list(weight.value.shape)] for weight in weights]
    values = [weight.value.ravel() for weight in weights if weight.value.size]
    return Message({"weights": listed}, [np.concatenate(values)] if values else [])


def _unpacked(answer: Message) -> Iterator[SavedWeight]:
    sent = answer.arrays[0] if answer.arrays else np.zeros(0, np.float32)
    if sent.dtype != np.float32 or sent.ndim != 1:
        raise BrokenMessage("the values are none of weights")
    values = sent.astype(np.float32, copy=False)
    listed = cast(list[tuple[object, object, list[int]]], answer.header["weights"])
    for layer, name, shape in listed:
        if min(shape, default=0) < 0 or prod(shape) > values.size:
            raise BrokenMessage("a weight has an impossible shape")
        value, values = values[: prod(shape)].reshape(shape), values[prod(shape) :]
        yield SavedWeight(text(layer), text(name), value)


def _ending(process: "subprocess.Popen[bytes]") -> str:
    """Say how the process ended that read a file."""
    try:
        code = process.wait(_STOPPING_SECONDS)
    except subprocess.TimeoutExpired:
        return "made the process that read it answer nonsense"
    named = {-number.value: number.name for number in signal.Signals}
    return f"ended the process that read it ({named.get(code, f'exit status {code}')})"
