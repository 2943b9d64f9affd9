"""A node as a process of its own, to be killed, starved and looked at."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from brixia_edge.runtime.node.state.store import Store
from node_doubles import echo, wait_until

COMMAND = "import sys; from brixia_edge.runtime.cli import main; sys.exit(main(sys.argv[1:]))"


class NodeProcess:
    """`brixia-edge node run` on a configuration."""

    def __init__(self, folder: Path, data: Path, port: int, http_port: int) -> None:
        self._configuration, self.log = folder / "node.toml", folder / "log"
        self.data, self.port, self.http_port = data, port, http_port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    COMMAND,
                    "node",
                    "run",
                    "--config",
                    str(self._configuration),
                ],
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                start_new_session=True,
            )
        wait_until(lambda: echo(self.port))

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_scoring(self) -> None:
        """Kill the processes that it started."""
        assert self.process is not None
        for child in children(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def memory(self, what: str = "VmRSS") -> int:
        """Bytes of memory that it has; what scores for it is not counted (proc(5))."""
        assert self.process is not None
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith(what))

    def handles(self) -> int:
        """Files and connections that it has open."""
        assert self.process is not None
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def children(process: int) -> list[int]:
    """The processes that one started and that have not ended."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(each) for path in tasks for each in path.read_text().split()]


def settled(data: Path, images: int) -> Callable[[], bool]:
    """Whether so many images were scored and all their answers arrived."""

    def look() -> bool:
        store = Store.open(data)
        try:
            counts = store.views.counts()
        finally:
            store.close()
        done = counts.deliveries.get("pacs", {}).get("done", 0)
        return counts.instances == {"scored": images} and done == 2 * images

    return look
