"""Whoever calls, and with whatever: the node answers the next caller, and does not grow."""

import random
import socket
import ssl
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from node_doubles import dcmread, echo, send, wait_until
from node_process import NodeProcess
from pydicom.uid import DeflatedExplicitVRLittleEndian

MOST_GROWTH = 50_000_000
"""Bytes of memory that an attack may leave behind."""

C_STORE: Any = import_module("pynetdicom.dimse_primitives").C_STORE
AE: Any = import_module("pynetdicom").AE
CR = "1.2.840.10008.5.1.4.1.1.1"
EXPLICIT = "1.2.840.10008.1.2.1"


@pytest.fixture
def attacked(make_node: Callable[..., NodeProcess]) -> NodeProcess:
    node = make_node(largest='"20MB"', associations_of_a_host="20")
    node.start()
    return node


def connect(node: NodeProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", node.port), timeout=20)


def association(node: NodeProcess, syntax: str = EXPLICIT) -> Any:
    entity: Any = AE(ae_title="XR1")
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 15
    entity.add_requested_context(CR, syntax)
    found = entity.associate("127.0.0.1", node.port, ae_title="BRIXIA")
    assert found.is_established
    return found


def store(node: NodeProcess, dataset: bytes, uid: str, syntax: str = EXPLICIT) -> int:
    """Send any bytes as an object of a UID; the status, or -1."""
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.DataSet = CR, BytesIO(dataset)
    request._affected_sop_instance_uid = uid
    caller = association(node, syntax)
    caller._reactor_checkpoint.clear()
    caller.dimse.send_msg(request, 1)
    _, answer = caller.dimse.get_msg(block=True)
    caller._reactor_checkpoint.set()
    caller.abort()
    return -1 if answer is None else int(answer.Status)


def encoded(content: bytes) -> bytes:
    """The dataset of a DICOM file, behind its file meta information."""
    length: int = dcmread(BytesIO(content)).file_meta.FileMetaInformationGroupLength
    return content[132 + 12 + length :]


def silent(node: NodeProcess, image: Callable[..., bytes]) -> None:
    del image
    callers = [connect(node) for _ in range(40)]
    assert echo(node.port)
    for each in callers:
        each.close()


def slow(node: NodeProcess, image: Callable[..., bytes]) -> None:
    del image
    callers = [connect(node) for _ in range(40)]
    for each in callers:
        each.sendall(b"\x01\x00\x00")
    assert echo(node.port)
    for each in callers:
        each.close()


def huge_lengths(node: NodeProcess, image: Callable[..., bytes]) -> None:
    del image
    for kind in (1, 4, 7):
        with connect(node) as caller:
            _all_sent(caller, struct.pack(">BBL", kind, 0, 3 * 2**30), bytes(2**20), 100)


def tls_garbage(node: NodeProcess, image: Callable[..., bytes]) -> None:
    del image
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for _ in range(5):
        with connect(node) as caller, suppress(OSError):
            context.wrap_socket(caller)
        with connect(node) as caller:
            _all_sent(caller, b"\x16\x03\x01\xff\xff", bytes(2**16), 20)


def odd_uids(node: NodeProcess, image: Callable[..., bytes]) -> None:
    names = ["../../../../etc/passwd", "/etc/passwd", "..", "1.2.3/../../x", "1" * 64, "1..2"]
    for uid in names:
        assert store(node, encoded(image(1, SOPInstanceUID=uid)), uid) != 0
        assert store(node, encoded(image(1)), uid) != 0
    outside = node.data.parent
    assert {path.name for path in outside.iterdir()} <= {"data", "log", "node.toml", "tiny-bundle"}
    assert not list((node.data / "images").iterdir())


def truncated(node: NodeProcess, image: Callable[..., bytes]) -> None:
    whole = encoded(image(1))
    chance = random.Random(1)  # noqa: S311 - no secret
    for _ in range(20):
        store(node, whole[: chance.randrange(len(whole))], "1.2.840.99.1.1.1")


def odd_lengths(node: NodeProcess, image: Callable[..., bytes]) -> None:
    chance = random.Random(2)  # noqa: S311 - no secret
    whole = encoded(image(1))
    for _ in range(20):
        damaged = bytearray(whole)
        for _ in range(5):
            damaged[chance.randrange(len(whole))] = chance.randrange(256)
        store(node, bytes(damaged) + b"\0", "1.2.840.99.1.1.1")


def endless_data(node: NodeProcess, image: Callable[..., bytes]) -> None:
    """P-DATA fragments (PS3.8 9.3.5) of a message that never ends."""
    del image
    fragment = bytes(2**16 - 100)
    item = struct.pack(">LBB", len(fragment) + 2, 1, 0) + fragment
    pdu = struct.pack(">BBL", 4, 0, len(item)) + item
    for _ in range(3):
        caller = association(node)
        _all_sent(caller.dul.socket.socket, b"", pdu, 1000)
        wait_until(lambda ended=caller: not ended.is_established)


def bombs(node: NodeProcess, image: Callable[..., bytes]) -> None:
    del image
    syntax = str(DeflatedExplicitVRLittleEndian)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    zeros = bytes(2**24)
    bomb = b"".join(deflate.compress(zeros) for _ in range(40)) + deflate.flush()
    for _ in range(3):
        assert store(node, bomb, "1.2.840.99.1.1.1", syntax) == 0xC000


def connects_and_closes(node: NodeProcess, image: Callable[..., bytes], times: int = 500) -> None:
    del image
    for _ in range(times):
        connect(node).close()


def killed_amid_its_image(node: NodeProcess, image: Callable[..., bytes]) -> None:
    path, kept = node.data.parent / "image.dcm", node.data / "images"
    before = set(kept.iterdir())
    path.write_bytes(image(7, pixels=np.zeros((2000, 2000), np.uint16)))
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", HALF_AN_IMAGE, str(node.port), str(path)], stdout=subprocess.PIPE
        ) as caller:
            assert caller.stdout is not None
            assert caller.stdout.readline() == b"HALF\n"
            caller.kill()
    assert set(kept.iterdir()) == before
    assert send(node.port, path.read_bytes()) == [0]
    path.unlink()


HALF_AN_IMAGE = """
import sys, time
from pydicom import dcmread
from pynetdicom import AE
entity = AE(ae_title="XR1")
dataset = dcmread(sys.argv[2])
entity.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
association = entity.associate("127.0.0.1", int(sys.argv[1]), ae_title="BRIXIA")
sent = association.dul.socket.send
count = 0
def send(data):
    global count
    count += 1
    if count > 40:
        print("HALF", flush=True)
        time.sleep(600)
    sent(data)
association.dul.socket.send = send
association.send_c_store(dataset)
"""

ATTACKS: Mapping[str, Callable[..., None]] = {
    attack.__name__: attack
    for attack in (
        silent,
        slow,
        huge_lengths,
        tls_garbage,
        odd_uids,
        truncated,
        odd_lengths,
        endless_data,
        bombs,
        connects_and_closes,
        killed_amid_its_image,
    )
}


def _all_sent(caller: socket.socket, start: bytes, part: bytes, times: int) -> None:
    """Send a beginning and parts until the other side hangs up."""
    try:
        caller.sendall(start)
        for _ in range(times):
            caller.sendall(part)
    except OSError:
        return


def test_every_attack_leaves_the_node_answering_and_no_larger(
    attacked: NodeProcess, image: Callable[..., bytes]
) -> None:
    assert send(attacked.port, image(100)) == [0]
    for path in (attacked.data / "images").iterdir():
        path.unlink()
    before = attacked.memory()
    for name, attack in ATTACKS.items():
        attack(attacked, image)
        assert echo(attacked.port), name
        wait_until(lambda: attacked.memory() - before < MOST_GROWTH)
    assert attacked.end() == 0
    assert not _secrets(attacked.log)


@pytest.mark.slow
def test_ten_thousand_callers_that_close_leave_nothing(
    attacked: NodeProcess, image: Callable[..., bytes]
) -> None:
    before, handles = attacked.memory(), attacked.handles()
    connects_and_closes(attacked, image, 10_000)
    assert echo(attacked.port)
    wait_until(lambda: attacked.handles() <= handles)
    assert attacked.memory() - before < MOST_GROWTH


def _secrets(log: Path) -> list[str]:
    text = log.read_text()
    return [word for word in ("SECRET", "PERSON", "passwd", "Traceback") if word in text]
