"""A file of weights that leads HDF5 astray costs a process, and not this one."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from brixia_edge.export.network import weights_process
from brixia_edge.export.network.keras_file import SavedWeight, read_keras_file
from brixia_edge.export.network.weights_process import WeightsLimits, read_in_process
from brixia_edge.runtime.errors import WeightsError
from brixia_edge.runtime.sources.messages import Message
from make_models import write_keras

REGRESSIONS = Path(__file__).parent / "regression"


@pytest.fixture
def keras(tmp_path: Path) -> Path:
    path = tmp_path / "weights.h5"
    write_keras(path, {"conv0/kernel": np.arange(12, dtype=np.float32).reshape(3, 4)})
    return path


def test_another_process_reads_what_this_one_would(keras: Path) -> None:
    for there, here in zip(read_in_process(keras), read_keras_file(keras), strict=True):
        assert (there.layer, there.name) == (here.layer, here.name)
        np.testing.assert_array_equal(there.value, here.value)


def test_its_refusals_are_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.h5 cannot be opened: No such file"):
        read_in_process(tmp_path / "none.h5")


def test_a_file_that_hdf5_reads_for_ever_is_given_up(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="the limits of a process are POSIX's")
    path = tmp_path / "endless.h5"
    path.write_bytes(gzip.decompress((REGRESSIONS / "endless_names.h5.gz").read_bytes()))
    with pytest.raises(WeightsError, match=r"ended the process that read it \(SIGXCPU\)"):
        read_in_process(path, WeightsLimits(seconds=1))


def test_a_file_that_takes_too_much_memory_is_given_up(keras: Path) -> None:
    pytest.importorskip("resource", reason="the limits of a process are POSIX's")
    with pytest.raises(WeightsError, match="ended the process that read it"):
        read_in_process(keras, WeightsLimits(memory=1 << 20))


@pytest.mark.parametrize(
    "answer",
    [
        Message({}),
        Message({"weights": 5}),
        Message({"weights": [["conv0", "kernel"]]}),
        Message({"weights": [["conv0", "kernel", [2, 3]]]}),
        Message({"weights": [["conv0", "kernel", [-1, 3]]]}, [np.zeros(6, np.float32)]),
        Message({"weights": [["conv0", "kernel", ["a"]]]}, [np.zeros(6, np.float32)]),
        Message({"weights": [["conv0", 5, [6]]]}, [np.zeros(6, np.float32)]),
        Message({"weights": [["conv0", "kernel", [6]]]}, [np.zeros(6, np.float64)]),
        Message({"error": 5}),
    ],
    ids=range(9),
)
def test_an_answer_that_makes_no_sense_is_refused(
    answer: Message, keras: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def received(_: object) -> Message:
        return answer

    monkeypatch.setattr(weights_process, "receive", received)
    with pytest.raises(WeightsError, match="the process that read it"):
        read_in_process(keras)


def test_no_weights_are_none(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    write_keras(path, {})
    weights: list[SavedWeight] = read_in_process(path)
    assert weights == []
