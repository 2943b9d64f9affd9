"""How fast the node is, and whether it grows: run by hand on a machine that has nothing else to do.

    python tests/node_numbers.py acknowledge | throughput | latency | soak [--images N] [--bundle B]

Prints one JSON object a line. Radiographs are pydicom-data's RG1 under UIDs of their own (7 MB).
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from brixia_edge.runtime.node.state.store import Store
from node_doubles import Archive, dcmread, free_port, pynetdicom, toml
from node_process import COMMAND, NodeProcess, children
from pydicom.uid import ImplicitVRLittleEndian

SENDERS = 10
STATUS_SUCCESS = bytes([0, 0, 0, 9, 2, 0, 0, 0, 0, 0])
"""(0000,0900) of two bytes that are 0."""

C_STORE: Any = import_module("pynetdicom.dimse_primitives").C_STORE
C_STORE_RQ: Any = import_module("pynetdicom.dimse_messages").C_STORE_RQ
P_DATA_TF: Any = import_module("pynetdicom.pdu").P_DATA_TF
encode: Any = import_module("pynetdicom.dsutils").encode


def radiograph(number: int) -> Any:
    """RG1 as a dataset; another image for each number."""
    find: Any = import_module("pydicom.data").get_testdata_file
    dataset = dcmread(find("RG1_UNCR.dcm"))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.7.{number}"
    pixels = bytearray(dataset.PixelData)
    pixels[:4] = number.to_bytes(4, "little")
    dataset.PixelData = bytes(pixels)
    return dataset


def file_of(dataset: Any) -> bytes:
    stream = BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


class Sender:
    """One association; its requests are encoded beforehand, so that sending costs us nothing."""

    def __init__(self, port: int) -> None:
        entity: Any = pynetdicom.AE(ae_title="XR1")
        dataset = radiograph(0)
        entity.add_requested_context(dataset.SOPClassUID, ImplicitVRLittleEndian)
        association = entity.associate("127.0.0.1", port, ae_title="BRIXIA")
        assert association.is_established
        self._maximum = association.acceptor.maximum_length
        # From here on the connection is ours alone.
        association._reactor_checkpoint.clear()
        association.dul._kill_thread = True
        association.dul.join()
        self._association = association
        self._connection: socket.socket = association.dul.socket.socket
        self._connection.settimeout(120)

    def prepared(self, dataset: Any) -> bytes:
        """The PDUs of a C-STORE request."""
        request = C_STORE()
        request.MessageID, request.Priority = 1, 2
        request.AffectedSOPClassUID = dataset.SOPClassUID
        request.AffectedSOPInstanceUID = dataset.SOPInstanceUID
        request.DataSet = BytesIO(encode(dataset, True, True))
        message = C_STORE_RQ()
        message.primitive_to_message(request)
        units: list[bytes] = []
        for data in message.encode_msg(1, self._maximum):
            unit = P_DATA_TF()
            unit.from_primitive(data)
            units.append(unit.encode())
        return b"".join(units)

    def send(self, prepared: bytes) -> tuple[float, float]:
        """Seconds from the first byte to the answer, and from the last byte to it."""
        begun = monotonic()
        self._connection.sendall(prepared)
        sent = monotonic()
        answer = self._connection.recv(4096)
        ended = monotonic()
        assert STATUS_SUCCESS in answer, answer
        return ended - begun, ended - sent

    def close(self) -> None:
        self._connection.close()


@contextmanager
def running(bundle: str, backend: str = "auto") -> Generator[tuple[NodeProcess, Archive]]:
    """A node and its archive."""
    folder = Path(tempfile.mkdtemp(prefix="node-numbers-"))
    with Archive().open() as archive:
        port, http_port = free_port(), free_port()
        text = toml(folder / "data", port, http_port, archive, associations_of_a_host="20")
        text = text.replace("BUNDLE", bundle).replace('"onnxruntime"', f'"{backend}"')
        (folder / "node.toml").write_text(text)
        node = NodeProcess(folder, folder / "data", port, http_port)
        node.start()
        try:
            yield node, archive
        finally:
            node.end()
            shutil.rmtree(folder)


def tell(what: str, **found: Any) -> None:
    rounded = {name: round(v, 3) if isinstance(v, float) else v for name, v in found.items()}
    load = [round(each, 2) for each in os.getloadavg()]
    print(json.dumps({"number": what, **rounded, "load": load}), flush=True)  # noqa: T201


def parts(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median": ordered[len(ordered) // 2],
        "p95": ordered[int(0.95 * len(ordered))],
        "longest": ordered[-1],
    }


def acknowledge(options: argparse.Namespace) -> None:
    """Ten senders at a time, each image of 7 MB."""
    each = max(1, options.images // SENDERS)
    with running(options.bundle, options.backend) as (node, _):
        wait(lambda: ready(node))

        def work(sender: int) -> list[tuple[float, float]]:
            caller = Sender(node.port)
            numbers = range(1 + sender * each, 1 + (sender + 1) * each)
            prepared = [caller.prepared(radiograph(number)) for number in numbers]
            start.wait()
            found = [caller.send(content) for content in prepared]
            caller.close()
            return found

        start = threading.Barrier(SENDERS)
        with ThreadPoolExecutor(SENDERS) as senders:
            found = [time for times in senders.map(work, range(SENDERS)) for time in times]
        whole, last = zip(*found, strict=True)
        tell("acknowledge, from the last byte", images=len(found), **parts(list(last)))
        tell("acknowledge, from the first byte", images=len(found), **parts(list(whole)))
        tell("memory", rss=node.memory() >> 20, highest=node.memory("VmHWM") >> 20)


def ready(node: NodeProcess) -> bool:
    from http.client import HTTPConnection

    connection = HTTPConnection("127.0.0.1", node.http_port, timeout=20)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait(true: Callable[[], object], pause: float = 0.002) -> float:
    """Wait for something; when it was."""
    while not true():
        sleep(pause)
    return monotonic()


def throughput(options: argparse.Namespace) -> None:
    """Time and processor time an image of the node and of `brixia-edge score`, in turn.

    The start is left out. The archive that the node sends to runs on the same processors; its time
    is not the node's.
    """
    for _ in range(options.rounds):
        tell("score with answers", **scored_by_command(options, True))
        tell("score", **scored_by_command(options, False))
        tell("node", **scored_by_node(options))


def processor_seconds(process: int) -> float:
    """What a process, its threads and its children have used."""
    ticks = 0
    for each in (process, *descendants(process)):
        with suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))  # its own, and of children that it waited for
    return ticks / os.sysconf("SC_CLK_TCK")


def descendants(process: int) -> list[int]:
    """All that a process started, and that those did."""
    return [each for child in children(process) for each in (child, *descendants(child))]


def scored_by_command(options: argparse.Namespace, answers: bool) -> dict[str, float]:
    """Seconds an image of `brixia-edge score`, between its first and its last line."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(options.images):
            (folder / f"{number}.dcm").write_bytes(file_of(radiograph(number + 1)))
        command = [sys.executable, "-c", COMMAND, "score", str(folder), "--format", "json"]
        command += ["--backend", options.backend, "--isolate"]
        command += ["--bundle", options.bundle] if options.bundle else []
        if answers:
            command += ["--sr", str(folder / "sr")]
            command += ["--secondary-capture", str(folder / "capture")]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:
            assert process.stdout is not None
            moments = [(monotonic(), processor_seconds(process.pid)) for _ in process.stdout]
    assert len(moments) == options.images, len(moments)
    return an_image(moments[0], moments[-1], len(moments) - 1)


def an_image(
    begun: tuple[float, float], ended: tuple[float, float], images: int
) -> dict[str, float]:
    """What each of some images took: seconds, and those of processors."""
    return {
        "seconds_an_image": (ended[0] - begun[0]) / images,
        "processor_seconds_an_image": (ended[1] - begun[1]) / images,
    }


def scored_by_node(options: argparse.Namespace) -> dict[str, float]:
    """Seconds an image of the node, between the first and the last of a queue that is full."""
    with running(options.bundle, options.backend) as (node, _):
        assert node.process is not None
        caller = Sender(node.port)
        for number in range(options.images):
            caller.send(caller.prepared(radiograph(number + 1)))
        caller.close()
        store = Store.open(node.data)

        def scored() -> int:
            return store.views.counts().instances.get("scored", 0)

        # Some were scored while others came; the second half had the machine for itself.
        first = scored() + 1
        begun = wait(lambda: scored() >= first, 0.02), processor_seconds(node.process.pid)
        ended = wait(lambda: scored() == options.images, 0.02), processor_seconds(node.process.pid)
        store.close()
    return an_image(begun, ended, options.images - first)


def latency(options: argparse.Namespace) -> None:
    """From the last byte of one image to its report in the archive, the node being idle."""
    with running(options.bundle, options.backend) as (node, archive):
        wait(lambda: ready(node))
        caller = Sender(node.port)
        beyond: list[float] = []
        for number in range(options.images):
            prepared = caller.prepared(radiograph(number + 1))
            before = len(archive.kept)
            connection_sent = monotonic()
            whole, last = caller.send(prepared)
            sent = connection_sent + whole - last
            arrived = wait(lambda wanted=before + 1: len(archive.kept) >= wanted)
            wait(lambda wanted=before + 2: len(archive.kept) >= wanted)
            store = Store.open(node.data)
            (found,) = store.views.latest(1)
            store.close()
            score = json.loads(found.score or "{}")["timing_ms"]["total"] / 1000
            beyond.append(arrived - sent - score)
            tell("latency", whole=arrived - sent, score=score, beyond=beyond[-1])
            sleep(0.5)
        tell("beyond the score", **parts(beyond))


def soak(options: argparse.Namespace) -> None:
    """Images one after the other at full speed; memory and open files now and then."""
    with running(options.bundle, options.backend) as (node, archive):
        wait(lambda: ready(node))
        callers = [Sender(node.port) for _ in range(2)]
        begun = monotonic()
        for number in range(options.images):
            caller = callers[number % 2]
            caller.send(caller.prepared(radiograph(number + 1)))
            if number % max(1, options.images // 20) == 0:
                tell(
                    "soak",
                    images=number,
                    seconds=monotonic() - begun,
                    memory=node.memory() >> 20,
                    handles=node.handles(),
                    arrived=len(archive.kept),
                )
        wait(lambda: len(set(archive.kept)) == 2 * options.images)
        tell(
            "soak",
            images=options.images,
            seconds=monotonic() - begun,
            memory=node.memory() >> 20,
            highest=node.memory("VmHWM") >> 20,
            handles=node.handles(),
            arrived=len(archive.kept),
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    works = (acknowledge, throughput, latency, soak)
    parser.add_argument("work", choices=[work.__name__ for work in works])
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--bundle", default="")
    parser.add_argument("--backend", default="auto")
    chosen = parser.parse_args()
    {work.__name__: work for work in works}[chosen.work](chosen)
