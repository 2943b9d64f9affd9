"""The page in Chromium, by day and in a dark room, on a phone and on a screen."""

import shutil
from collections.abc import Callable, Generator
from importlib import import_module
from typing import Any

import pytest
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.meters import Meters, Snapshot
from brixia_edge.runtime.node.receiving.storage import Storage
from brixia_edge.runtime.node.state.rows import Result
from brixia_edge.runtime.node.values import Address
from brixia_edge.runtime.node.web.app import NodeView, make_app
from brixia_edge.runtime.node.web.server import WebServer
from brixia_edge.runtime.quality.drift import DriftReport, QuantityDrift
from node_doubles import free_port

pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture
def address(
    data: DataFolder, storage: Storage, scored: str, image: Callable[..., bytes]
) -> Generator[str]:
    """A node with images in every state, alarms, drift, and a shadow."""
    for number in range(2, 6):
        storage.take(image(number), f"a{number}", "XR1")
    storage.take(image(scored and 1, PatientID="ANOTHER"), "a9", "XR1")
    for end in (data.store.inbox.fail, data.store.inbox.ignore):
        instance = data.store.inbox.next_to_score("newest")
        assert instance is not None
        end(instance.id, "Rows is 0; 16 to 10000 are allowed")
    assert data.store.inbox.next_to_score("newest") is not None
    data.store.outbox.park(1, "the archive answered C000")
    found = data.store.views.instance(scored)
    assert found is not None
    assert found.score is not None
    data.store.inbox.add_shadow(found.instance.id, Result("new", found.score))
    drift = DriftReport(200, 100, {"lung_area": QuantityDrift(2.0, 0.01, 0.02)})
    meters = Meters(lambda: Snapshot(data.store.views.counts(), 0, "d", 0.0))
    ready = {"receiving": "", "scoring": "the bundle was altered", "disk": ""}
    take = storage.take_upload
    view = NodeView(
        data,
        meters,
        lambda: ready,
        take,
        lambda _: {},
        "",
        99,
        show_names=True,
        drift=lambda: drift,
    )
    port = free_port()
    server = WebServer(Address("127.0.0.1", port), make_app(view))
    server.start()
    yield f"http://127.0.0.1:{port}/"
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with import_module("playwright.sync_api").sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_the_page_is_for_everyone_everywhere_and_asks_nobody_else(
    browser: Any, address: str, scheme: str, width: int
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    said: list[str] = []
    asked: list[str] = []

    def hear(message: Any) -> None:
        said.append(message.text)

    def see(request: Any) -> None:
        asked.append(request.url)

    page.on("console", hear)
    page.on("request", see)
    page.goto(address)
    page.get_by_text("live", exact=True).wait_for()
    axe = import_module("axe_playwright_python.sync_playwright").Axe()
    found = [each["id"] for each in axe.run(page).response["violations"]]
    across = page.evaluate("document.documentElement.scrollWidth")
    assert page.get_by_text("Shadow model, latest 1 image:").count() == 1
    assert page.get_by_text("look different from those").count() == 1
    page.close()
    assert not found
    assert not said
    assert asked
    assert all(each.startswith(address) for each in asked)
    assert across <= width


def test_the_page_shows_what_happens_without_being_asked(
    browser: Any, address: str, storage: Storage, image: Callable[..., bytes]
) -> None:
    page = browser.new_page()
    page.goto(address)
    page.get_by_text("live", exact=True).wait_for()
    before = page.locator("article").count()
    storage.take(image(77), "new", "XR1")
    page.locator("article").nth(before).wait_for()
    page.close()
