"""A program that prints a line of figures again and again, while something else runs."""

import subprocess
from collections.abc import Sequence
from threading import Thread


class LineSampler:
    """Runs the program from its making to `stop`, and keeps its lines.

    Attributes
    ----------
    lines
        What was printed so far.

    Raises
    ------
    OSError
        The program cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(  # noqa: S603 - one of our own commands
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def stop(self) -> list[str]:
        """End the program and give its lines so far."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        return self.lines

    @property
    def is_running(self) -> bool:
        """Whether the program has not ended."""
        return self._process.poll() is None

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        with self._process.stdout as output:
            self.lines.extend(line.rstrip("\n") for line in output)
