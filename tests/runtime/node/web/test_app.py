"""What is shown over HTTP: to those with the token, without identity, nothing taken on trust."""

import base64
import json
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.errors import ConfigurationError
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.meters import Meters, Snapshot
from brixia_edge.runtime.node.receiving.storage import OUT_OF_RESOURCES, SUCCESS, Storage, Taken
from brixia_edge.runtime.node.state.rows import Agreement, Counts, Result
from brixia_edge.runtime.node.web.app import NodeView, make_app
from brixia_edge.runtime.node.web.auth import read_token
from brixia_edge.runtime.node.web.openapi import openapi_document
from brixia_edge.runtime.node.web.patients import patient_shown
from brixia_edge.runtime.node.web.views import alarms, model_shown
from brixia_edge.runtime.quality.drift import DriftReport, QuantityDrift
from brixia_edge.runtime.results import RESEARCH_USE
from dicom_sources import source_file

TestClient: Any = import_module("starlette.testclient").TestClient  # its types are not whole
Client = Any

TOKEN = "a token of enough letters"  # noqa: S105 - of this test alone
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}
UID = "1.2.840.99.1.1.1"
# An item of a sequence that holds a PatientName.
NESTED_NAME = b"\xfe\xff\x00\xe0\x16\x00\x00\x00\x10\x00\x10\x00PN\x0e\x00SECRET^PERSON "


@pytest.fixture
def client(data: DataFolder, storage: Storage) -> Client:
    def look() -> Snapshot:
        return Snapshot(data.store.views.counts(), 10**9, "the bundle's digest", 2e9)

    def score(content: bytes) -> Mapping[str, Any]:
        if content.startswith(b"BUSY"):
            return {"error": {"type": "Busy", "message": "later"}}
        if content.startswith(b"BAD"):
            return {"file": True, "error": {"type": "UnreadableImage", "message": "is none"}}
        return {"file": True, "score": {"global": len(content)}}

    view = NodeView(
        data, Meters(look), lambda: {"scoring": ""}, storage.take_upload, score, TOKEN, 10_000
    )
    return TestClient(make_app(view), headers=WITH_TOKEN)


def test_health_needs_no_token_and_everything_else_does(client: Client) -> None:
    paths = [path.replace("{uid}", UID) for path in openapi_document()["paths"]]
    for path in (*paths, "/", "/rows", "/static/node.css", "/openapi.json"):
        found = client.request("GET", path, headers={"Authorization": ""})
        assert (found.status_code == 401) != path.startswith("/health"), path


@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer wrong", "Basic !!!", "Basic " + base64.b64encode(b"x:y").decode()],
)
def test_a_wrong_token_opens_nothing(client: Client, given: str) -> None:
    assert client.get("/", headers={"Authorization": given}).status_code == 401


def test_browsers_may_give_the_token_as_a_password(client: Client) -> None:
    basic = base64.b64encode(f"anyone:{TOKEN}".encode()).decode()
    assert client.get("/", headers={"Authorization": f"Basic {basic}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://elsewhere"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}],
)
def test_another_sites_page_changes_nothing(
    client: Client, data: DataFolder, image: Callable[..., bytes], headers: dict[str, str]
) -> None:
    found = client.post("/api/v1/instances", content=image(), headers=headers)
    assert found.status_code == 403
    assert data.store.views.counts().instances == {}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost:8080", 200),
        ("[::1]:8080", 200),
        ("elsewhere.example", 403),
        ("127.0.0.1.elsewhere.example", 403),
        ("", 403),
        ("[", 403),
    ],
)
def test_without_a_token_no_page_reads_us_under_a_name_of_its_own(
    data: DataFolder, host: str, status: int
) -> None:
    meters = Meters(lambda: Snapshot(data.store.views.counts(), 0, "d", 0.0))
    view = NodeView(data, meters, dict, lambda _: Taken(SUCCESS, None), lambda _: {}, "", 99)
    client = TestClient(make_app(view))
    for path in ("/", "/rows", "/api/v1/instances", "/metrics"):
        assert client.get(path, headers={"Host": host}).status_code == status
    assert client.get("/health/live", headers={"Host": host}).status_code == 200


def test_every_answer_forbids_scripts_frames_and_caches(client: Client) -> None:
    for path in ("/", "/metrics", "/api/v1/state", "/api/v1/instances/1.2"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


def test_a_score_comes_back_and_nothing_is_kept(client: Client, data: DataFolder) -> None:
    assert client.post("/api/v1/score", content=b"a file").json() == {"global": 6}
    form = client.post("/api/v1/score", files={"file": ("a.dcm", b"a file")})
    assert form.json() == {"global": 6}
    assert data.store.views.counts().instances == {}


@pytest.mark.parametrize(
    ("content", "status"), [(b"BAD", 422), (b"BUSY", 503), (b"", 400), (b"x" * 10_001, 413)]
)
def test_what_cannot_be_scored_is_told(client: Client, content: bytes, status: int) -> None:
    found = client.post("/api/v1/score", content=content)
    assert found.status_code == status
    assert set(found.json()["error"]) == {"type", "message"}


def test_a_form_that_is_too_long_or_none_is_refused(client: Client) -> None:
    long = client.post("/api/v1/score", files={"file": ("a.dcm", b"x" * 200_000)})
    assert long.status_code == 413
    broken = client.post(
        "/api/v1/score", content=b"nonsense", headers={"Content-Type": "multipart/form-data"}
    )
    assert broken.status_code == 400
    many = client.post("/api/v1/score", files=[(f"f{number}", b"x") for number in range(9)])
    assert (many.status_code, set(many.json()["error"])) == (400, {"type", "message"})


def test_an_upload_is_taken_up_as_an_image_from_a_modality_is(
    client: Client, image: Callable[..., bytes]
) -> None:
    found = [client.post("/api/v1/instances", content=image()).json() for _ in range(2)]
    assert [each["admission"] for each in found] == ["added", "repeated"]
    assert client.post("/api/v1/instances", content=b"nothing").status_code == 422
    listed = client.get("/api/v1/instances").json()["instances"]
    assert [(each["sop_instance_uid"], each["state"]) for each in listed] == [(UID, "queued")]


def test_a_full_disk_refuses_uploads(data: DataFolder) -> None:
    full = Taken(OUT_OF_RESOURCES, None, reason="no room")
    meters = Meters(lambda: Snapshot(data.store.views.counts(), 0, "d", 0.0))
    view = NodeView(data, meters, lambda: {"disk": "full"}, lambda _: full, lambda _: {}, "", 99)
    client = TestClient(make_app(view), base_url="http://127.0.0.1:8080")
    assert client.post("/api/v1/instances", content=b"x").status_code == 507
    told = client.get("/health/ready")
    assert (told.status_code, told.json()) == (503, {"disk": False, "reasons": {"disk": "full"}})
    assert client.get("/health/live").status_code == 200


def test_an_image_is_shown_with_score_picture_and_answers(client: Client, scored: str) -> None:
    found = client.get(f"/api/v1/instances/{scored}").json()
    assert found["score"]["global"] == 9
    assert [each["state"] for each in found["answers"]] == ["waiting"]
    large = client.get(f"/api/v1/instances/{scored}/picture")
    small = client.get(f"/api/v1/instances/{scored}/picture?size=small")
    pictures: list[Any] = [
        cv2.imdecode(np.frombuffer(each.content, np.uint8), cv2.IMREAD_COLOR)
        for each in (large, small)
    ]
    widths = [picture.shape[1] for picture in pictures]
    assert large.headers["content-type"] == "image/png"
    assert widths[0] >= widths[1]
    assert widths[1] <= 320


@pytest.mark.parametrize("uid", ["1.2.3", "..%2f..%2fetc%2fpasswd", "x" * 300, "%00"])
def test_what_is_not_there_is_not_found(client: Client, uid: str) -> None:
    assert client.get(f"/api/v1/instances/{uid}").status_code == 404
    assert client.get(f"/api/v1/instances/{uid}/picture").status_code == 404
    assert client.get(f"/static/{uid}").status_code == 404


@pytest.mark.parametrize("query", ["limit=-1", "limit=1e9", "limit=x", "limit=99999", "limit=٣"])
def test_an_odd_number_is_told(client: Client, query: str) -> None:
    assert client.get(f"/api/v1/instances?{query}").status_code == 400


def test_the_page_shows_score_alarms_and_research_use_and_escapes_what_is_not_ours(
    client: Client, data: DataFolder, scored: str
) -> None:
    data.store.outbox.park(1, "no")
    text = client.get("/").text
    assert text.count(RESEARCH_USE) == 2
    assert f"/api/v1/instances/{scored}/picture?size=small" in text
    assert "1 answer is refused by pacs" in text
    assert "&lt;b&gt;doubtful&lt;/b&gt;" in text
    assert "<b>doubtful" not in text


def test_the_page_tells_which_model_scored_and_whether_it_is_light(
    client: Client, data: DataFolder, scored: str
) -> None:
    assert '<p class="facts">model bsnet-test, fp32</p>' in client.get("/").text
    found = data.store.views.instance(scored)
    assert found is not None
    assert found.score is not None
    members = json.loads(found.score)
    members["model"] |= {"variant": "light"}
    data.store.inbox.add_shadow(found.instance.id, Result("other", json.dumps(members)))
    assert "<p>shadow model bsnet-test, light, fp32: 9 of 18</p>" in client.get("/").text


@pytest.mark.parametrize(
    ("score", "shown"),
    [
        (None, ""),
        ("{}", ""),
        ('{"model": {"name": "m", "precision": "int8", "sha256": "ab"}}', "m, int8"),
    ],
)
def test_scores_of_before_there_were_light_networks_are_shown(
    score: str | None, shown: str
) -> None:
    assert model_shown(score) == shown


def test_the_page_asks_for_nothing_but_the_node(client: Client) -> None:
    import re

    text = client.get("/").text + client.get("/static/node.css").text
    text += client.get("/static/node.js").text
    assert not re.findall(r"https?://|//[a-z]", text.replace("// Fetches", ""))
    assert "<script>" not in text
    assert "style=" not in text


@pytest.mark.usefixtures("scored")
def test_a_patients_course_is_shown_by_digest(client: Client, data: DataFolder) -> None:
    patient = data.store.views.latest()[0].instance.patient
    text = client.get(f"/?patient={patient}").text
    assert f"Course of patient {patient}" in text
    assert client.get("/?patient=%3Cscript%3E").text.count("<script>") == 0


@pytest.mark.usefixtures("scored")
def test_nothing_shown_names_anybody(client: Client) -> None:
    paths = ["/", "/rows", "/metrics", "/api/v1/state", "/api/v1/instances", "/api/v1/events"]
    for path in (*paths, f"/api/v1/instances/{UID}"):
        text = client.get(path).text
        assert not any(word in text for word in ("SECRET", "PERSON", "19400305", "A-4711", "HOUSE"))


def test_patients_are_shown_by_id_only_where_that_is_asked_for(
    data: DataFolder, image: Callable[..., bytes]
) -> None:
    Storage(data.store, data.images).take(image(1, PatientID="A<4711"), "ab" * 32, "XR1")
    (found,) = data.store.views.latest(1)
    shown = [patient_shown(found.instance, data, by_id) for by_id in (False, True)]
    assert shown == [found.instance.patient[:8], "A<4711"]
    assert "patient A&lt;4711" in page_with_names(data)


def page_with_names(data: DataFolder) -> str:
    meters = Meters(lambda: Snapshot(data.store.views.counts(), 0, "d", 0.0))
    view = NodeView(
        data, meters, dict, lambda _: Taken(SUCCESS, None), lambda _: {}, "", 99, show_names=True
    )
    return TestClient(make_app(view), base_url="http://127.0.0.1:8080").get("/").text


@pytest.mark.parametrize(
    ("stored", "characters", "shown"),
    [
        ("\u202e4711\x1b[2J\n".encode(), b"ISO_IR 192", "�4711�[2J�"),
        (b"4711\xff\xfe", b"ISO_IR 192", "4711��"),
        (b"\\ud8004711", b"unicode_escape", "�4711"),
        (b"\xe44711", b"NONSENSE", "ä4711"),
        (b"4" * 60_000, b"", "4" * 63 + "…"),
        (("SQ", NESTED_NAME), b"", "DIGEST"),
    ],
)
def test_no_patient_id_breaks_the_page_or_tells_more_than_an_id(
    data: DataFolder,
    image: Callable[..., bytes],
    stored: bytes | tuple[str, bytes],
    characters: bytes,
    shown: str,
) -> None:
    Storage(data.store, data.images).take(image(5), "ab" * 32, "XR1")
    (found,) = data.store.views.latest(1)
    path = data.images.path(found.instance.spool)
    source_file(path, image(5), {"PatientID": stored, "SpecificCharacterSet": characters})
    shown = shown.replace("DIGEST", found.instance.patient[:8])
    assert patient_shown(found.instance, data, True) == shown
    page = page_with_names(data)
    assert f">patient {shown}</a>" in page
    assert "SECRET" not in page


def test_an_image_whose_file_is_gone_is_shown_by_its_digest(
    data: DataFolder, image: Callable[..., bytes]
) -> None:
    Storage(data.store, data.images).take(image(2), "cd" * 32, "XR1")
    (found,) = data.store.views.latest(1)
    data.images.remove(found.instance.spool)
    assert patient_shown(found.instance, data, True) == found.instance.patient[:8]


@pytest.mark.usefixtures("scored")
def test_metrics_count_what_there_is(client: Client) -> None:
    lines = client.get("/metrics").text.splitlines()
    assert 'brixia_images{state="scored"} 1.0' in lines
    assert 'brixia_answers{destination="pacs",state="waiting"} 1.0' in lines
    assert "brixia_disk_free_bytes 1e+09" in lines
    assert any(line.startswith("brixia_score_seconds_bucket") for line in lines)


def test_metrics_tell_of_drift_and_of_a_shadow() -> None:
    counts = Counts({}, {}, None, None, 0)
    figures = Agreement(12, 0.75, 1.5, 4)
    seen = [
        Snapshot(counts, 0, "d", 0.0, {"lung_area": 0.125}, figures),
        Snapshot(counts, 0, "d", 0.0),
    ]
    meters = Meters(lambda: seen[0])
    lines = meters.text().decode().splitlines()
    assert 'brixia_drift_index{quantity="lung_area"} 0.125' in lines
    assert "brixia_shadow_images 12.0" in lines
    assert "brixia_shadow_zones_equal 0.75" in lines
    assert "brixia_shadow_mean_difference 1.5" in lines
    assert "brixia_shadow_largest_difference 4.0" in lines
    del seen[0]
    lines = meters.text().decode().splitlines()
    assert "brixia_shadow_images 0.0" in lines
    assert not [
        line for line in lines if line.startswith(("brixia_drift_index{", "brixia_shadow_z"))
    ]


@pytest.mark.parametrize(("index", "alarmed"), [(0.05, False), (2.0, True)])
def test_the_page_tells_of_drift(data: DataFolder, index: float, alarmed: bool) -> None:
    report = DriftReport(200, 100, {"lung_area": QuantityDrift(index, 0.01, 0.02)})
    meters = Meters(lambda: Snapshot(data.store.views.counts(), 0, "d", 0.0))

    def take(_: bytes) -> Taken:
        return Taken(SUCCESS, None)

    view = NodeView(data, meters, dict, take, lambda _: {}, "", 99, drift=lambda: report)
    page = TestClient(make_app(view), base_url="http://127.0.0.1:8080").get("/").text
    assert report.sentence() in page
    assert ("the latest 200 images look different from those" in page) == alarmed


def test_an_image_whose_header_is_a_programs_names_nobody(
    data: DataFolder, image: Callable[..., bytes]
) -> None:
    Storage(data.store, data.images).take(image(3), "ef" * 32, "XR1")
    (found,) = data.store.views.latest(1)
    path = data.images.path(found.instance.spool)
    path.write_bytes(b"MZ" + path.read_bytes()[2:])
    assert patient_shown(found.instance, data, True) == found.instance.patient[:8]


def test_the_document_lists_every_path_of_the_interface(client: Client) -> None:
    routes = {
        route.path
        for route in client.app.routes
        if route.path.startswith(("/api", "/health", "/metrics"))
    }
    assert routes - {"/api/v1/events"} == set(openapi_document()["paths"])


def test_a_token_must_be_there_and_long_enough(tmp_path: Path) -> None:
    assert read_token(None) == ""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_token(tmp_path / "token")
    (tmp_path / "token").write_text("short\n")
    with pytest.raises(ConfigurationError, match="5 characters"):
        read_token(tmp_path / "token")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert read_token(tmp_path / "token") == TOKEN


@pytest.mark.usefixtures("scored")
def test_answers_without_a_destination_raise_an_alarm(data: DataFolder) -> None:
    counts = data.store.views.counts()
    assert list(alarms(counts, {}, ["pacs"])) == []
    (sentence,) = alarms(counts, {}, ["archive"])
    assert sentence.startswith("1 answer is to go to pacs")
    assert "brixia-edge node drop pacs" in sentence
