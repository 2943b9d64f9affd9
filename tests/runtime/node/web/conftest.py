"""Images that the web's tests look at."""

import json
from collections.abc import Callable

import pytest
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.receiving.storage import Storage
from brixia_edge.runtime.node.scoring.answers import answer
from brixia_edge.runtime.node.state.rows import Result
from brixia_edge.runtime.reports.json_lines import as_object
from brixia_edge.runtime.reports.material import Material
from brixia_edge.runtime.results import ScoredRadiograph

UID = "1.2.840.99.1.1.1"


@pytest.fixture
def storage(data: DataFolder) -> Storage:
    return Storage(data.store, data.images)


@pytest.fixture
def scored(
    data: DataFolder,
    storage: Storage,
    image: Callable[..., bytes],
    scored_dicom: Callable[..., ScoredRadiograph],
) -> str:
    """An image that was scored, and waits to be sent; its UID."""
    storage.take(image(1), "ab", "XR1")
    instance = data.store.inbox.next_to_score("newest")
    assert instance is not None
    result = scored_dicom(warnings=["<b>doubtful</b>"])
    members = as_object(result)
    del members["file"]
    objects = list(answer(Material(result), ["capture"], data.objects))
    data.store.inbox.finish(
        instance.id, Result("digest", json.dumps(members)), objects, [("pacs", ("capture",))]
    )
    return UID
