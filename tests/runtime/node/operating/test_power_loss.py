"""Whenever the power fails, the next start finds every image whose Success was told."""

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.operating.housekeeping import adopt
from brixia_edge.runtime.node.receiving.storage import Storage
from power_loss import TRACED, Disk
from system_calls import Call, calls_of, why_not

IMAGES = 2
RECEIVE = """
import sys
from pathlib import Path
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.receiving.storage import SUCCESS, Storage
data = DataFolder.open(Path(sys.argv[1]))
storage = Storage(data.store, data.images)
for number, path in enumerate(sys.argv[2:]):
    assert storage.take(Path(path).read_bytes(), f"{number:064}", "XR1").status == SUCCESS
    print("SUCCESS", flush=True)
data.close()
"""


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_no_power_failure_costs_an_image_whose_success_was_told(
    tmp_path: Path, image: Callable[..., bytes]
) -> None:
    folder, log = tmp_path / "data", tmp_path / "trace"
    folder.mkdir()
    contents = [image(number) for number in range(IMAGES)]
    received(folder, log, contents)
    disk, told, tried = Disk(folder), 0, 0
    for call in calls_of(log.read_text(encoding="latin-1").splitlines()):
        told += call.name == "write" and '"SUCCESS' in call.rest
        disk.take(call)
        if not changes(call, folder):
            continue
        for safe_names, safe_content in product((True, False), repeat=2):
            left = tmp_path / "left" / str(tried)
            left.parent.mkdir(exist_ok=True)
            disk.leave(left, safe_names=safe_names, safe_content=safe_content)
            known, adopted = taken_up(left)
            where = f"after {call.name}, {told} told: {left}"
            # Not by adoption: the database has its part of the promise.
            assert known[:told] == contents[:told], where
            assert adopted == contents[: len(adopted)], where
            tried += 1
    assert (told, tried > 4 * 10 * IMAGES) == (IMAGES, True)


def received(folder: Path, log: Path, contents: list[bytes]) -> None:
    """Have images received by a process whose calls are written down."""
    paths = [folder.with_name(f"{number}.dcm") for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    longest = str(max(map(len, contents)) + 2**16)
    strace = ["strace", "-f", "-y", "-qq", "-s", longest, "-e", f"trace={TRACED}", "-o", str(log)]
    subprocess.run(
        [*strace, sys.executable, "-c", RECEIVE, str(folder), *map(str, paths)],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def changes(call: Call, folder: Path) -> bool:
    """Whether a call changes something in a folder, or makes it safe."""
    return str(folder) in call.rest and (call.name != "openat" or "O_CREAT" in call.rest)


def taken_up(folder: Path) -> tuple[list[bytes], list[bytes]]:
    """What a start finds, in order: the images that its database knows, and all in the end."""
    data = DataFolder.open(folder)
    try:
        data.images.sweep()
        known = kept(data)
        adopt(data, Storage(data.store, data.images))
        return known, kept(data)
    finally:
        data.close()


def kept(data: DataFolder) -> list[bytes]:
    waiting = sorted(data.store.inbox.spooled())
    assert data.store.views.counts().instances.get("queued", 0) == len(waiting)
    return [data.images.path(name).read_bytes() for name in waiting]
