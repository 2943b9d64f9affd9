"""Reading in another process: the same pixels, and no file harms more than itself."""

import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.errors import (
    ImageTooLarge,
    ReadingProcessUnavailable,
    UnreadableImage,
    UnsupportedImage,
)
from brixia_edge.runtime.preparation.preprocess import PreprocessSpec
from brixia_edge.runtime.results import ScoredRadiograph, UnscoredFile
from brixia_edge.runtime.scorer import Scorer
from brixia_edge.runtime.sources import process as reading_process
from brixia_edge.runtime.sources.isolated import IsolatedSource, ReadingMode, open_source
from brixia_edge.runtime.sources.messages import BrokenMessage, Message, receive, send
from brixia_edge.runtime.sources.process import ReadingLimits
from brixia_edge.runtime.sources.radiograph_message import prepared_from, prepared_message
from brixia_edge.runtime.sources.source import PreparedRadiograph, prepare_file
from faulty_reading import FAULTY

SPEC = PreprocessSpec("equalize")
ISOLATED = ReadingMode(limits=ReadingLimits())
PROCESSES = Path("/proc/self/cmdline")


@pytest.fixture
def source() -> Iterator[IsolatedSource]:
    source = IsolatedSource(SPEC, ReadingLimits())
    yield source
    source.close()


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[IsolatedSource]:
    monkeypatch.setattr(reading_process, "_START", FAULTY)
    source = IsolatedSource(SPEC, ReadingLimits())
    yield source
    source.close()


@pytest.fixture
def time_flies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the time for a file be up once the endless one is begun, and never for another."""

    class Timer(threading.Timer):
        def run(self) -> None:
            while not self.finished.wait(0.01):
                if (tmp_path / "begun").exists():
                    (tmp_path / "begun").unlink()
                    self.function()
                    return

    monkeypatch.setattr(threading, "Timer", Timer)


def copies(chest_png: Path, *names: str) -> list[Path]:
    """The picture under several names."""
    files = [chest_png.with_name(name) for name in names]
    for file in files:
        file.write_bytes(chest_png.read_bytes())
    return files


def test_nothing_is_changed_on_the_way(
    source: IsolatedSource, chest_png: Path, make_dicom: Callable[..., bytes], tmp_path: Path
) -> None:
    dicom, turned = tmp_path / "IM1", tmp_path / "IM2"
    dicom.write_bytes(make_dicom(ViewPosition="LL"))
    turned.write_bytes(
        make_dicom(PhotometricInterpretation="MONOCHROME1", WindowCenter=20, WindowWidth=30)
    )
    files = [chest_png, dicom, turned]
    for file, isolated in zip(files, source.prepared_many(files), strict=True):
        local = prepare_file(file, SPEC)
        assert isinstance(isolated, PreparedRadiograph)
        assert isolated.file == file
        np.testing.assert_array_equal(isolated.image, local.image)
        np.testing.assert_array_equal(isolated.radiograph.pixels, local.radiograph.pixels)
        for member in ("format", "sop_instance_uid", "steps", "warnings", "modality", "projection"):
            assert getattr(isolated.radiograph, member) == getattr(local.radiograph, member)
        assert isolated.read > 0
        assert isolated.prepare > 0


def test_reasons_are_those_of_reading_here(
    source: IsolatedSource, chest_png: Path, make_dicom: Callable[..., bytes], tmp_path: Path
) -> None:
    files = [tmp_path / "absent.dcm", tmp_path, tmp_path / "cut.png", tmp_path / "frames.dcm"]
    files[2].write_bytes(chest_png.read_bytes()[:200])
    files[3].write_bytes(make_dicom(NumberOfFrames=3))
    for file, isolated in zip(files, source.prepared_many(files), strict=True):
        assert isinstance(isolated, UnscoredFile)
        with pytest.raises(type(isolated.error)) as local:
            prepare_file(file, SPEC)
        assert str(isolated.error) == str(local.value)


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("segfault.png", UnreadableImage, "ended the process that read it .SIGSEGV"),
        ("exit.png", UnreadableImage, "ended the process that read it .exit status 7"),
        ("endless.png", UnreadableImage, "took longer than 60 s"),
        ("exhaust.png", ImageTooLarge, "more memory than it may have"),
        ("fault.png", UnreadableImage, "a fault of brixia-edge .KeyError"),
        ("liar.png", UnreadableImage, "nonsense"),
    ],
)
@pytest.mark.usefixtures("time_flies")
def test_a_bad_file_costs_only_itself(
    faulty: IsolatedSource, chest_png: Path, name: str, kind: type[Exception], told: str
) -> None:
    files = copies(chest_png, "first.png", name, "next.png", name, "last.png")
    results = list(faulty.prepared_many(files))
    assert [type(result) for result in results] == [
        *(PreparedRadiograph, UnscoredFile) * 2,
        PreparedRadiograph,
    ]
    for bad in results[1::2]:
        assert isinstance(bad, UnscoredFile)
        assert type(bad.error) is kind
        with pytest.raises(kind, match=told):
            raise bad.error
        assert "SECRET" not in str(bad.error)


def test_a_file_is_given_up_when_its_time_is_up(
    monkeypatch: pytest.MonkeyPatch, chest_png: Path
) -> None:
    monkeypatch.setattr(reading_process, "_START", FAULTY)
    (endless,) = copies(chest_png, "endless.png")
    source = IsolatedSource(SPEC, ReadingLimits(seconds=0.1))
    try:
        with pytest.raises(UnreadableImage, match=r"took longer than 0\.1 s"):
            source.prepared(endless)
    finally:
        source.close()


def test_what_a_decoder_prints_is_no_answer(faulty: IsolatedSource, chest_png: Path) -> None:
    (file,) = copies(chest_png, "chatty.png")
    assert faulty.prepared(file).radiograph.format == "PNG"


def test_a_process_that_is_killed_between_files_is_replaced(
    source: IsolatedSource, chest_png: Path
) -> None:
    results = source.prepared_many([chest_png] * 4)
    next(results)
    (child,) = children()
    os.kill(child, signal.SIGKILL)
    assert [type(result) for result in results].count(PreparedRadiograph) >= 2
    assert source.prepared(chest_png).radiograph.format == "PNG"


def children() -> list[int]:
    """Reading processes of this process."""
    if not PROCESSES.exists():
        pytest.skip("processes are told by /proc")
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    starts = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in listed}
    return [int(child) for child, start in starts.items() if b"sources.child" in start]


@pytest.mark.skipif(not PROCESSES.exists(), reason="the memory limit is Linux's")
def test_a_picture_beyond_the_memory_limit_is_too_large(tmp_path: Path) -> None:
    import cv2

    file = tmp_path / "large.png"
    file.write_bytes(cv2.imencode(".png", np.zeros((9000, 9000), np.uint8))[1].tobytes())
    source = IsolatedSource(SPEC, ReadingLimits(memory=450 * 2**20))
    try:
        assert source.memory_limited()
        with pytest.raises(ImageTooLarge):
            source.prepared(file)
    finally:
        source.close()


def test_a_process_that_does_not_start_is_told(
    monkeypatch: pytest.MonkeyPatch, tiny_bundle: Bundle, chest_png: Path
) -> None:
    monkeypatch.setattr(reading_process, "_START", "raise SystemExit(3)")
    with (
        Scorer(tiny_bundle, reading=ISOLATED) as scorer,
        pytest.raises(ReadingProcessUnavailable, match=r"did not start.*status 3.*--no-isolate"),
    ):
        list(scorer.score_many([chest_png]))
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(ReadingProcessUnavailable, match="cannot be started"):
        Scorer(tiny_bundle, reading=ISOLATED)


def test_closing_ends_the_process_even_while_it_reads(
    faulty: IsolatedSource, chest_png: Path
) -> None:
    endless, good = copies(chest_png, "endless.png", "good.png")
    results = faulty.prepared_many([good, endless])
    next(results)
    faulty.close()
    assert children() == []


def test_scores_are_those_of_reading_here(tiny_bundle: Bundle, chest_png: Path) -> None:
    with Scorer(tiny_bundle) as scorer:
        local = scorer.score(chest_png)
    with Scorer(tiny_bundle, reading=ISOLATED) as scorer:
        (absent, isolated) = scorer.score_many([chest_png.with_name("absent"), chest_png])
    assert isinstance(absent, UnscoredFile)
    assert isinstance(isolated, ScoredRadiograph)
    assert isolated.score == local.score
    assert isolated.quality == local.quality
    assert isolated.timing.total >= isolated.timing.read + isolated.timing.infer


def test_the_next_file_is_read_ahead_and_no_more(source: IsolatedSource, chest_png: Path) -> None:
    asked: list[int] = []

    def paths() -> Iterator[Path]:
        for number in range(9):
            asked.append(number)
            yield chest_png

    results = source.prepared_many(paths())
    for done in range(1, 5):
        next(results)
        assert len(asked) == done + 1


PROGRAM = """
import signal, sys
from brixia_edge.runtime.sources.source import PreparedRadiograph
from brixia_edge.runtime.sources.isolated import IsolatedSource
from brixia_edge.runtime.preparation.preprocess import PreprocessSpec
from brixia_edge.runtime.sources.process import ReadingLimits
source = IsolatedSource(PreprocessSpec("equalize"), ReadingLimits())
source.prepared(sys.argv[1])
print("ready", flush=True)
signal.pause()
"""


@pytest.mark.skipif(not PROCESSES.exists(), reason="processes are told by /proc")
def test_no_reading_process_outlives_a_killed_parent(chest_png: Path, tmp_path: Path) -> None:
    marked = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(tmp_path)]),
    }
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(chest_png)], stdout=subprocess.PIPE, env=marked
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        assert marked_processes(tmp_path)
        parent.kill()
    # It ends at once, but a busy machine may take its time; one that stays would stay for ever.
    for _ in range(6000):
        if not marked_processes(tmp_path):
            return
        time.sleep(0.05)
    pytest.fail("the reading process is still there")


def marked_processes(mark: Path) -> list[str]:
    """Reading processes that have `mark` among the places where they look for modules."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            started = process.read_bytes()
        except OSError:
            continue
        if b"sources.child" in started and os.fsencode(mark) in started:
            found.append(process.parent.name)
    return found


def test_a_message_comes_as_it_was_sent() -> None:
    arrays = (np.arange(6, dtype=np.uint16).reshape(2, 3), np.ones((1, 1, 2, 2), np.float32))
    stream = BytesIO()
    send(stream, Message({"path": "caf\udce9", "number": 1.5}, arrays))
    stream.seek(0)
    message = receive(stream)
    assert message.header["path"] == "caf\udce9"
    for sent, received in zip(arrays, message.arrays, strict=True):
        np.testing.assert_array_equal(sent, received)
        assert sent.dtype == received.dtype


def framed(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack(">I", len(text)) + text + body


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0",
        b"\xff\xff\xff\xff",
        framed(b"[]"),
        framed(b"{"),
        framed(b"[" * 100_000),
        framed({}),
        framed({"arrays": 3}),
        framed({"arrays": [["uint8"]]}),
        framed({"arrays": [["object", [1]]]}, b"12345678"),
        framed({"arrays": [[["uint8"], [1]]]}),
        framed({"arrays": [["uint8", [-1]]]}),
        framed({"arrays": [["uint8", [True]]]}, b"1"),
        framed({"arrays": [["uint8", [2.0]]]}, b"12"),
        framed({"arrays": [["uint8", [10**9, 10**9]]]}),
        framed({"arrays": [["float64", [99_000_000]]] * 2}),
        framed({"arrays": [["uint8", [1]]] * 9}, b"123456789"),
        framed({"arrays": [["uint8", [4]]]}, b"123"),
        framed({"arrays": [["uint8", [1] * 5]]}, b"1"),
    ],
)
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(BrokenMessage):
        receive(BytesIO(content))


@pytest.fixture
def honest(chest_png: Path) -> Message:
    stream = BytesIO()
    send(stream, prepared_message(prepare_file(chest_png, SPEC)))
    stream.seek(0)
    return receive(stream)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "EXE"},
        {"sop_instance_uid": "../../etc/passwd"},
        {"sop_instance_uid": 7},
        {"steps": "text"},
        {"warnings": [1]},
        {"modality": "SECRET^PERSON"},
        {"modality": ["CR"]},
        {"projection": "LL"},
        {"read": "1"},
        {"read": None},
        {"prepare": float("nan")},
        {"error": "text"},
        {"error": {"type": "SystemExit", "message": "x"}},
        {"error": {"type": "BackendUnavailable", "message": "x"}},
        {"error": {"type": "UnreadableImage", "message": 1}},
    ],
    ids=str,
)
def test_a_lie_in_the_header_is_not_believed(honest: Message, change: dict[str, object]) -> None:
    lie = Message({**honest.header, **change}, honest.arrays)
    with pytest.raises(BrokenMessage):
        prepared_from(lie, Path("x"), SPEC)


def test_an_error_of_reading_is_raised_again() -> None:
    told = Message({"error": {"type": "UnsupportedImage", "message": "is in colour"}})
    with pytest.raises(UnsupportedImage, match="is in colour"):
        prepared_from(told, Path("x"), SPEC)


def test_without_limits_reading_stays_here(chest_png: Path) -> None:
    local = open_source(SPEC, ReadingMode())
    assert local.prepared(chest_png).radiograph.format == "PNG"
    assert not local.memory_limited()
    assert children() == []
