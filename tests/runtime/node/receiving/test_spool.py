"""Success means stored: what is told to be safe is on the disk, in the order that makes it so."""

import os
import re
import shutil
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.operating.housekeeping import adopt, delete_expired
from brixia_edge.runtime.node.receiving import arrival
from brixia_edge.runtime.node.receiving import storage as storage_module
from brixia_edge.runtime.node.receiving.spool import PARTIAL, Spool, digest
from brixia_edge.runtime.node.receiving.storage import (
    CANNOT_UNDERSTAND,
    DOES_NOT_MATCH,
    OUT_OF_RESOURCES,
    SUCCESS,
    Storage,
)
from brixia_edge.runtime.node.state.rows import Received, Uptake
from pydicom.uid import DeflatedExplicitVRLittleEndian

ONE_IMAGE = """
import sys
from pathlib import Path
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.receiving.storage import Storage
data = DataFolder.open(Path(sys.argv[1]))
storage = Storage(data.store, data.images)
content = Path(sys.argv[2]).read_bytes()
print("BEFORE", flush=True)
storage.take(content, "ab" * 32, "XR1")
print("SUCCESS", flush=True)
"""


@pytest.fixture
def storage(data: DataFolder) -> Storage:
    return Storage(data.store, data.images)


def test_a_digest_is_of_the_dataset_and_not_of_what_stands_before() -> None:
    assert digest("1.2", b"data") != digest("1.3", b"data")
    assert digest("1.2", b"data") != digest("1.2", b"date")


def test_a_deflated_dataset_is_told_by_what_it_inflates_to() -> None:
    def deflated(data: bytes, level: int) -> bytes:
        deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        return deflate.compress(data) + deflate.flush()

    syntax, data = str(DeflatedExplicitVRLittleEndian), bytes(range(200)) * 1000
    fast, small = deflated(data, 1), deflated(data, 9)
    assert fast != small
    assert digest(syntax, fast) == digest(syntax, small) == digest(syntax, small + b"\0")
    assert digest(syntax, fast) != digest(syntax, deflated(data[:-1], 1))


def test_a_file_is_whole_under_its_name_or_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "images")
    spool.write("a.dcm", b"content")
    assert spool.path("a.dcm").read_bytes() == b"content"

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        spool.write("b.dcm", b"content")
    assert spool.names() == {"a.dcm"}
    assert os.listdir(spool.folder) == ["a.dcm"]


def test_what_an_ended_node_left_half_written_is_swept(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    (tmp_path / f"x.dcm.1-2{PARTIAL}").write_bytes(b"half")
    spool.write("a.dcm", b"whole")
    assert spool.sweep() == 1
    assert spool.names() == {"a.dcm"}


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_file_name_folder_and_database_are_synchronised_in_this_order_before_success(
    tmp_path: Path, image: Callable[..., bytes]
) -> None:
    received = tmp_path / "image.dcm"
    received.write_bytes(image())
    trace = tmp_path / "trace"
    calls = "trace=openat,rename,renameat,renameat2,fsync,fdatasync,write,pwrite64"
    command = ["strace", "-f", "-y", "-e", calls, "-s", "16", "-o", str(trace)]
    subprocess.run(
        [
            *command,
            sys.executable,
            "-c",
            ONE_IMAGE,
            str(tmp_path / "data"),
            str(tmp_path / "image.dcm"),
        ],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    start = next(number for number, line in enumerate(lines) if '"BEFORE' in line)
    end = next(number for number, line in enumerate(lines) if '"SUCCESS' in line)
    seen = "\n".join(lines[start:end])
    steps = [
        r"fsync\(\d+<[^>]*/images/[^>]*\.part>",
        r"rename\w*\([^)]*\.part[^)]*\.dcm",
        r"fsync\(\d+<[^>]*/images>",
        r"pwrite64\(\d+<[^>]*node\.sqlite-wal>",
        r"f(data)?sync\(\d+<[^>]*node\.sqlite-wal>",
    ]
    position = 0
    for step in steps:
        found = re.compile(step).search(seen, position)
        assert found is not None, f"{step} does not follow in\n{seen}"
        position = found.end()


def test_an_image_is_taken_up_once_however_often_it_comes(
    storage: Storage, data: DataFolder, image: Callable[..., bytes]
) -> None:
    found = [storage.take(image(), "ab", "XR1").uptake for _ in range(3)]
    assert found == [Uptake.ADDED, Uptake.REPEATED, Uptake.REPEATED]
    assert data.images.names() == {"ab.dcm"}


def test_an_image_that_was_answered_and_deleted_is_not_kept_when_it_comes_again(
    storage: Storage, data: DataFolder, image: Callable[..., bytes]
) -> None:
    storage.take(image(), "ab", "XR1")
    taken = data.store.inbox.next_to_score("newest")
    assert taken is not None
    data.store.inbox.ignore(taken.id, "no radiograph")
    assert delete_expired(data, -1.0) == 1
    again = storage.take(image(), "ab", "XR1")
    assert (again.status, again.uptake) == (SUCCESS, Uptake.FINISHED)
    assert data.images.names() == frozenset()
    assert data.store.inbox.next_to_score("newest") is None


def test_an_object_that_is_not_what_was_announced_is_refused(
    storage: Storage, image: Callable[..., bytes]
) -> None:
    taken = storage.take(image(), "ab", "XR1", ("1.2.840.10008.5.1.4.1.1.1", "1.2.3"))
    assert taken.status == DOES_NOT_MATCH


@pytest.mark.parametrize(
    "elements", [{"SOPInstanceUID": "../../etc/passwd"}, {"SOPInstanceUID": ""}]
)
def test_an_object_without_a_valid_uid_is_refused(
    storage: Storage, data: DataFolder, image: Callable[..., bytes], elements: dict[str, str]
) -> None:
    assert storage.take(image(**elements), "ab", "XR1").status == CANNOT_UNDERSTAND
    assert not data.images.names()


@pytest.mark.parametrize("content", [b"", b"nothing", b"\0" * 128 + b"DICM"])
def test_what_is_no_object_is_refused(storage: Storage, content: bytes) -> None:
    assert storage.take(content, "ab", "XR1").status == CANNOT_UNDERSTAND


def test_a_full_disk_is_told_as_such_and_the_image_taken_up_when_there_is_room(
    storage: Storage, image: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Spool, "write", full)
        taken = storage.take(image(), "ab", "XR1")
        assert (taken.status, taken.uptake) == (OUT_OF_RESOURCES, None)
        assert "No space left" in taken.reason
    assert storage.take(image(), "ab", "XR1").status == SUCCESS


def test_an_upload_is_parsed_when_no_other_object_is(
    storage: Storage, image: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    describing, together = threading.Event(), list[bool]()

    def describe(*given: Any) -> Received:
        describing.set()
        sleep(0.3)  # long enough for the upload to come in between, if it may
        describing.clear()
        return arrival.describe(*given)

    def split(content: bytes) -> tuple[str, bytes]:
        together.append(describing.is_set())
        return arrival.split_file(content)

    monkeypatch.setattr(storage_module, "describe", describe)
    monkeypatch.setattr(storage_module, "split_file", split)
    received = threading.Thread(target=storage.take, args=[image(1), f"{1:064x}", "XR1"])
    received.start()
    assert describing.wait(20)
    assert storage.take_upload(image(2)).status == SUCCESS
    received.join(20)
    assert together == [False]


def test_a_file_that_became_safe_before_a_crash_is_adopted(
    storage: Storage, data: DataFolder, image: Callable[..., bytes]
) -> None:
    storage.take(image(1), "ab", "XR1")
    data.images.write("cd.dcm", image(2))
    data.images.write("junk.dcm", b"nothing")
    assert adopt(data, storage) == 1
    assert adopt(data, storage) == 0
    found = data.store.views.instance("1.2.840.99.1.1.2")
    assert found is not None
    assert (found.instance.state, found.instance.source) == ("queued", "adopted")


def test_patients_are_told_apart_and_not_told(
    storage: Storage, data: DataFolder, image: Callable[..., bytes], tmp_path: Path
) -> None:
    storage.take(image(1), "a1", "XR1")
    storage.take(image(2), "a2", "XR1")
    storage.take(image(3, PatientID="ANOTHER"), "a3", "XR1")
    storage.take(image(4, PatientID=""), "a4", "XR1")
    patients = [each.instance.patient for each in reversed(data.store.views.latest())]
    assert patients[0] == patients[1] != patients[2]
    assert patients[3] == ""
    data.store.close()
    kept = (tmp_path / "data" / "node.sqlite").read_bytes()
    assert not any(word in kept for word in (b"SECRET", b"PERSON", b"ANOTHER", b"A-4711"))


def test_the_moment_of_acquisition_is_the_best_that_the_object_tells(
    storage: Storage, data: DataFolder, image: Callable[..., bytes]
) -> None:
    storage.take(image(1), "a1", "XR1")
    storage.take(image(2, AcquisitionDate="20200202", AcquisitionTime="0812"), "a2", "XR1")
    storage.take(image(3, AcquisitionDateTime="20200203070809.5+0100"), "a3", "XR1")
    found = [each.instance.acquired for each in reversed(data.store.views.latest())]
    assert found == ["2020-01-31T10:30:15", "2020-02-02T08:12:00", "2020-02-03T07:08:09"]
