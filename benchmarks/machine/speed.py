"""How fast the machine itself is at the moment: a fixed piece of work, timed between the runs.

Shared and fanless machines change their speed by more than a change of the code does. The
same multiplication of matrices before each run tells the one from the other.
"""

from collections.abc import Callable
from time import perf_counter

import numpy as np

SIZE = 1024
REPEATS = 2


class SpeedProbe:
    """A float32 matrix multiplication by NumPy's BLAS, on the threads that it takes."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        generator = np.random.default_rng(0)
        self._left, self._right = generator.random((2, SIZE, SIZE), np.float32)
        self._product = np.empty((SIZE, SIZE), np.float32)
        self._clock = clock

    def time(self) -> float:
        """Do the work once and give its milliseconds."""
        started = self._clock()
        for _ in range(REPEATS):
            np.matmul(self._left, self._right, out=self._product)
        return (self._clock() - started) * 1000


def describe() -> str:
    """What the work is and who does it: another NumPy brings another BLAS, and other times."""
    work = f"{REPEATS} x float32 {SIZE} x {SIZE} x {SIZE} matrix multiplication"
    return f"{work}, NumPy {np.__version__}"
