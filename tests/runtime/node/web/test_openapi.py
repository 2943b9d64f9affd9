"""The interface is what its document says, whatever is sent: schemathesis tries it."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import pytest
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.meters import Meters, Snapshot
from brixia_edge.runtime.node.receiving.storage import Storage
from brixia_edge.runtime.node.web.app import NodeView, make_app
from brixia_edge.runtime.node.web.openapi import openapi_document

schemathesis: Any = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
checks: Any = import_module("schemathesis.specs.openapi.checks")
hypothesis: Any = import_module("hypothesis")

TOKEN = "a token of enough letters"  # noqa: S105 - of this test alone
OPERATIONS = [
    f"{method.upper()} {path}"
    for path, methods in openapi_document()["paths"].items()
    for method in methods
]


@pytest.fixture
def app(data: DataFolder, image: Callable[..., bytes]) -> Any:
    storage = Storage(data.store, data.images)
    storage.take(image(1), "ab", "XR1")

    def score(content: bytes) -> Mapping[str, Any]:
        if len(content) % 2:
            return {"file": True, "error": {"type": "UnreadableImage", "message": "is none"}}
        return {"file": True, "score": {"global": len(content)}}

    meters = Meters(lambda: Snapshot(data.store.views.counts(), 10**9, "digest", 2e9))
    ready = {"receiving": "", "scoring": "", "disk": ""}
    view = NodeView(data, meters, lambda: ready, storage.take_upload, score, TOKEN, 10_000)
    return make_app(view)


def tried(app: Any, operation: str, examples: int) -> None:
    """Send requests that follow the document, and such that break it; check every answer."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=headers)
    (found,) = (each.ok() for each in schema.get_all_operations() if each.ok().label == operation)

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=found.as_strategy())
    def check(case: Any) -> None:
        # No document can say which bytes are a radiograph.
        if found.method == "post":
            case.call_and_validate(
                headers=headers, excluded_checks=[checks.positive_data_acceptance]
            )
        else:
            case.call_and_validate(headers=headers)

    check()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_answers_as_its_document_says(app: Any, operation: str) -> None:
    tried(app, operation, 8)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_answers_so_to_many_requests(app: Any, operation: str) -> None:
    tried(app, operation, 300)
