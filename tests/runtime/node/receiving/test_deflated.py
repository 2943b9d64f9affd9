"""One deflated image is one image, whether it comes by C-STORE or as a file by HTTP."""

from collections.abc import Callable
from io import BytesIO

from brixia_edge.runtime.node.configuration import Configuration
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.operating.node import Node
from brixia_edge.runtime.node.receiving.storage import SUCCESS, Storage
from brixia_edge.runtime.node.state.rows import Uptake
from node_doubles import dcmread, send
from pydicom.uid import DeflatedExplicitVRLittleEndian

SYNTAX = str(DeflatedExplicitVRLittleEndian)


def test_the_same_by_http_and_by_c_store_is_no_conflict(
    configure: Callable[..., Configuration], image: Callable[..., bytes]
) -> None:
    configuration = configure()
    node = Node(configuration)
    node.start()
    try:
        content = image(1, syntax=SYNTAX)
        assert send(configuration.node.listen.port, content) == [SUCCESS]
        assert node.storage.take_upload(content).uptake is Uptake.REPEATED
        counts = node.data.store.views.counts()
        assert (sum(counts.instances.values()), counts.repeats) == (1, 1)
        other = image(1, syntax=SYNTAX, Modality="DX")
        assert node.storage.take_upload(other).uptake is Uptake.CONFLICT
    finally:
        node.stop()


def test_a_deflated_file_is_kept_as_it_came(data: DataFolder, image: Callable[..., bytes]) -> None:
    content = image(1, syntax=SYNTAX)
    assert Storage(data.store, data.images).take_upload(content).uptake is Uptake.ADDED
    (name,) = data.images.names()
    assert data.images.path(name).read_bytes() == content
    assert dcmread(BytesIO(content)).file_meta.TransferSyntaxUID == SYNTAX
