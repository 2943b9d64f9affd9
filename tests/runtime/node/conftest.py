"""A node on tiny bundles, and radiographs with patients to send to it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dicom_sources import GOOD

pytest.importorskip("pynetdicom", reason="the extra 'node' is not installed")

from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.node.configuration import Configuration, parse_configuration
from brixia_edge.runtime.node.data_folder import DataFolder
from node_doubles import Archive, free_port, toml

STUDY = {"StudyInstanceUID": "1.2.840.99.1", "SeriesInstanceUID": "1.2.840.99.1.1"}


@pytest.fixture
def image(make_dicom: Callable[..., bytes]) -> Callable[..., bytes]:
    """Make a radiograph of SECRET^PERSON; the number is the last part of its UID."""

    def make(number: int = 1, **elements: object) -> bytes:
        patient = {key: value.decode() for key, value in GOOD.items() if isinstance(value, bytes)}
        uid = f"1.2.840.99.1.1.{number}"
        return make_dicom(**{**patient, **STUDY, "SOPInstanceUID": uid, **elements})

    return make


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder.open(tmp_path / "data")


@pytest.fixture
def configure(tmp_path: Path, tiny_bundle: Bundle) -> Callable[..., Configuration]:
    """A node's configuration, on free ports; see `node_doubles.toml`."""

    def make(archive: Archive | None = None, **more: str) -> Configuration:
        text = toml(tmp_path / "data", free_port(), free_port(), archive, **more)
        return parse_configuration(text.replace("BUNDLE", str(tiny_bundle.root)).encode())

    return make
