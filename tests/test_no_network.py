"""Nothing is sent and nothing is left behind: each command's sockets, and all that it writes.

Each command runs in an environment of its own, with an empty home and an empty temporary folder.
What stays there is seen everywhere; sockets, and what is written elsewhere, where `strace` is.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.commands.demo import demo_radiograph
from brixia_edge.runtime.libraries import import_library
from drawn_chest import draw_chest
from numpy.typing import NDArray
from system_calls import Asked, trace, why_not

ROOT = Path(__file__).parents[1]
MAIN = "import sys; from brixia_edge.runtime.cli import run; run()"
"""As the console script, without having to be installed."""

HARMLESS = ("/dev/null", "/dev/tty", "/dev/shm/", "/proc/self/")  # noqa: S108 - nothing is made there
"""Where semaphores lie that are gone with their process, and what is no file."""

needs_strace = pytest.mark.skipif(bool(why_not()), reason=why_not() or "can be traced")


@dataclass(frozen=True)
class Place:
    """An environment of its own, with nothing in it but what a command is to work on.

    Attributes
    ----------
    root
        The command's current folder; below it ``out`` is what it may write into.
    home, temporary
        Its home and its folder for temporary files.
    """

    root: Path
    home: Path
    temporary: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """As a user has it who has set nothing."""
        kept = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "COVERAGE_PROCESS_START")
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8",
        }

    def left(self) -> set[str]:
        """Files outside the output that stayed, as they lie below the home and beside it."""
        inside = (self.home, self.temporary)
        files = {path for folder in inside for path in folder.rglob("*") if not path.is_dir()}
        cache = self.home / ".cache" / "brixia-edge"
        return {str(path) for path in files if cache not in path.parents}

    def surprising(self, asked: Asked) -> set[str]:
        """What was written neither into the output, nor into the documented cache."""
        cache = self.home / ".cache"
        allowed = (self.root / "out", cache / "brixia-edge", self.temporary)
        return {
            str(path)
            for path in asked.written - {cache}
            if not str(path).startswith(HARMLESS)
            and not any(path == each or each in path.parents for each in allowed)
        }


@pytest.fixture
def place(tmp_path: Path, tiny_bundle: Bundle) -> Place:
    """A folder with a bundle, radiographs and annotations."""
    root = tmp_path / "work"
    (root / "out").mkdir(parents=True)
    made = Place(root, tmp_path / "home", tmp_path / "temporary")
    made.home.mkdir()
    made.temporary.mkdir()
    tiny_bundle.root.rename(root / "bundle")
    (root / "chest.dcm").write_bytes(demo_radiograph().read_bytes())
    (root / "chests").mkdir()
    for number in range(20):
        image, _ = draw_chest(shift=(number, number % 7), size=1 - number / 100)
        picture = cv2.imencode(".png", np.round(image * 255).astype(np.uint8))[1]
        (root / "chests" / f"{number}.png").write_bytes(picture.tobytes())
    rows = "".join(f"{number}.png,S,0,1,2,3,0,1\n" for number in range(20))
    (root / "scores.csv").write_text(f"filename,reader,A,B,C,D,E,F\n{rows}", encoding="utf-8")
    return made


COMMANDS: Mapping[str, Sequence[str]] = {
    "demo": ["demo", "--overlay", "out"],
    "score": [
        *("score", "chest.dcm", "chests", "--bundle", "bundle", "--format", "csv"),
        *("-o", "out/scores.csv", "--overlay", "out", "--sr", "out", "--secondary-capture", "out"),
    ],
    "explain": [
        *("explain", "chests/3.png", "--bundle", "bundle", "-o", "out"),
        *("--method", "occlusion", "--backend", "onnxruntime"),
    ],
    "calibrate": [
        *("calibrate", "chests", "--bundle", "bundle", "-o", "out/table.json"),
        *("--images", "10", "--allow-doubtful"),
    ],
    "evaluate": [
        *("evaluate", "--images", "chests", "--annotations", "scores.csv"),
        *("--bundle", "bundle", "--resamples", "100", "-o", "out/report"),
    ],
    "benchmark": [
        *("benchmark", "--bundle", "bundle", "--runs", "2", "--seconds", "0"),
        *("--cold-starts", "1", "--plot", "out/plot.png", "--save", "out/benchmark.json"),
    ],
    "agreement": ["benchmark", "agreement", "chests", "--bundle", "bundle"],
    "inspect a bundle": ["inspect", "bundle"],
    "inspect an image": ["inspect", "chest.dcm", "--preview", "out/steps.png"],
    "doctor": ["doctor"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_sends_nothing_and_writes_nothing_but_its_output(
    place: Place, command: Sequence[str], tmp_path: Path
) -> None:
    asked = _run([sys.executable, "-c", MAIN, *command], place, tmp_path)
    assert asked.status in (0, 1), asked.told
    assert "Internal error" not in asked.told
    assert not asked.network
    assert not place.surprising(asked)
    assert not place.left()


@pytest.mark.slow
def test_exporting_sends_nothing_and_writes_nothing_but_its_output(
    place: Place,
    tmp_path: Path,
    seeded_tensors: dict[str, NDArray[np.float32]],
    keras_file: Callable[..., Path],
) -> None:
    weights = keras_file(seeded_tensors)
    command = [sys.executable, "-c", MAIN, "export", str(weights), "-o", "out/exported"]
    asked = _run(command, place, tmp_path)
    assert asked.status == 0, asked.told
    assert not asked.network
    assert not place.surprising(asked)
    assert not place.left()


def _run(command: Sequence[str], place: Place, log: Path) -> Asked:
    if not why_not():
        return trace(command, place.root, place.environment, log / "calls.txt")
    done = subprocess.run(
        command,
        cwd=place.root,
        env=dict(place.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Asked(done.returncode, done.stdout, (), frozenset())


LIBRARY_USER = """
from pathlib import Path
from brixia_edge.runtime import Bundle, Scorer

with Scorer(Bundle.open(Path("bundle"))) as scorer:
    print(scorer.score("chest.dcm").score.global_score)
"""


def test_a_program_that_uses_the_package_sends_nothing(place: Place, tmp_path: Path) -> None:
    asked = _run([sys.executable, "-c", LIBRARY_USER], place, tmp_path)
    assert asked.status == 0, asked.told
    assert not asked.network
    assert not place.surprising(asked)
    assert not place.left()


TELLTALE = """
import socket, tempfile
from pathlib import Path

for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
    socket.socket(family, socket.SOCK_DGRAM).close()
Path.home().joinpath(".config").mkdir()
Path.home().joinpath(".config", "device").touch()
Path("beside").write_text("x")
Path("out", "result").write_text("x")
tempfile.NamedTemporaryFile().close()
tempfile.mkstemp()
"""


def test_what_stays_is_seen(place: Place, tmp_path: Path) -> None:
    _run([sys.executable, "-c", TELLTALE], place, tmp_path)
    stays = {Path(path).parent for path in place.left()}
    assert stays == {place.home / ".config", place.temporary}


@needs_strace
def test_sockets_and_what_is_written_elsewhere_are_seen(place: Place, tmp_path: Path) -> None:
    asked = trace([sys.executable, "-c", TELLTALE], place.root, place.environment, tmp_path / "log")
    assert [call.partition(",")[0] for call in asked.network] == [
        "socket(AF_INET",
        "socket(AF_INET6",
    ]
    found = place.surprising(asked)
    config = place.home / ".config"
    assert found == {str(config), str(config / "device"), str(place.root / "beside")}


SET_ON_IMPORT = ("ORT_DISABLE_TELEMETRY", "NNCF_CI", "MPLCONFIGDIR")
REPORTING = ("onnxruntime", "openvino", "nncf", "matplotlib")


def test_importing_the_package_changes_nothing() -> None:
    code = f"""
import os, sys
from brixia_edge.runtime import Bundle, Scorer, libraries
assert not set({SET_ON_IMPORT}) & set(os.environ)
assert not set({REPORTING}) & set(sys.modules)
"""
    unset = {name: value for name, value in os.environ.items() if name not in SET_ON_IMPORT}
    subprocess.run([sys.executable, "-c", code], env=unset, check=True)


@pytest.mark.parametrize("room", ["benchmarks", "export", "calibration", "runtime"])
def test_libraries_that_report_are_imported_in_one_place(room: str) -> None:
    for path in sorted((ROOT / room).rglob("*.py")):
        if path != ROOT / "runtime" / "libraries.py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            names = {name.partition(".")[0] for name in _imported(tree)}
            assert not names.intersection(REPORTING), path.relative_to(ROOT)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (str(each.value) for each in node.args if isinstance(each, ast.Constant))


def test_the_package_that_reports_for_openvino_is_there_again_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "openvino_telemetry", raising=False)
    with pytest.raises(ModuleNotFoundError):
        import_library("openvino_telemetry")
    assert "openvino_telemetry" not in sys.modules
    mine = ModuleType("openvino_telemetry")
    monkeypatch.setitem(sys.modules, "openvino_telemetry", mine)
    import_library("json")
    assert sys.modules["openvino_telemetry"] is mine
