"""A DICOMweb service's answer: only what it says it stored is delivered; the rest is judged."""

import json
from collections.abc import Callable, Generator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from brixia_edge.runtime.node.configuration import DestinationSection
from brixia_edge.runtime.node.receiving.spool import Spool
from brixia_edge.runtime.node.sending.outcome import Outcome, Verdict
from brixia_edge.runtime.node.sending.stow import StowTransport
from brixia_edge.runtime.node.state.rows import Delivery
from brixia_edge.runtime.reports.dicom.result import encoded
from brixia_edge.runtime.reports.dicom.secondary_capture import secondary_capture
from brixia_edge.runtime.reports.material import Material
from brixia_edge.runtime.results import ScoredRadiograph
from node_doubles import SECONDARY_CAPTURE, free_port

UID = "2.25.7"
JSON = "application/dicom+json"
_ITEM = {
    "00081150": {"vr": "UI", "Value": [SECONDARY_CAPTURE]},
    "00081155": {"vr": "UI", "Value": [UID]},
}


def stored(**more: object) -> Mapping[str, object]:
    """A response that names the answer as stored (PS3.18 10.5.3)."""
    return {"00081199": {"vr": "SQ", "Value": [_ITEM]}, **more}


def failed(reason: int, sequence: str = "00081198") -> Mapping[str, object]:
    """A response that names the answer as failed."""
    item = {**_ITEM, "00081197": {"vr": "US", "Value": [reason]}}
    return {sequence: {"vr": "SQ", "Value": [item]}}


XML = f"""<?xml version="1.0"?><NativeDicomModel>
<DicomAttribute tag="00081199" vr="SQ" keyword="ReferencedSOPSequence"><Item number="1">
<DicomAttribute tag="00081155" vr="UI" keyword="ReferencedSOPInstanceUID">
<Value number="1">{UID}</Value></DicomAttribute></Item>
</DicomAttribute></NativeDicomModel>"""


class Service:
    """A DICOMweb service that gives every request one answer.

    Attributes
    ----------
    status, kind, content
        The answer; an empty kind is no Content-Type at all.
    requests
        How many it got.
    """

    def __init__(self) -> None:
        self.status, self.kind, self.content = 200, JSON, json.dumps(stored()).encode()
        self.requests = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service.requests += 1
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(service.status)
                if service.kind:
                    self.send_header("Content-Type", service.kind)
                self.send_header("Content-Length", str(len(service.content)))
                self.end_headers()
                self.wfile.write(service.content)

            def log_request(self, code: object = "-", size: object = "-") -> None:
                del code, size

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/dicom-web"
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, content: object, status: int = 200, kind: str = JSON) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        self.status, self.kind, self.content = status, kind, text.encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service() -> Generator[Service]:
    found = Service()
    yield found
    found.close()


@pytest.fixture
def deliver(
    tmp_path_factory: pytest.TempPathFactory, scored_dicom: Callable[..., ScoredRadiograph]
) -> Callable[[str], Outcome]:
    """Send one answer to a service; what came of it."""
    folder = Spool(tmp_path_factory.mktemp("objects"))
    dataset = secondary_capture(Material(scored_dicom()))
    dataset.SOPInstanceUID = UID
    folder.write("a.dcm", encoded(dataset))

    def work(url: str, file: str = "a.dcm") -> Outcome:
        delivery = Delivery(
            7, 1, "pacs", "waiting", 0, 0.0, "", "", "capture", UID, SECONDARY_CAPTURE, file
        )
        destination = DestinationSection("pacs", "stow", url=url, timeout=5.0)
        (folder.path("torn.dcm")).write_bytes(b"no DICOM")
        return StowTransport(destination).send([delivery], folder)[7]

    return work


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (stored(), JSON),
        (stored(), "Application/DICOM+JSON; charset=utf-8"),
        (stored(), "application/json;charset=UTF-8"),
        (XML, "application/dicom+xml; charset=utf-8"),
    ],
)
def test_what_the_service_says_it_stored_is_delivered(
    service: Service, deliver: Callable[[str], Outcome], content: object, kind: str
) -> None:
    service.answer(content, kind=kind)
    assert deliver(service.url).verdict is Verdict.DELIVERED
    assert service.requests == 1


@pytest.mark.parametrize("kind", [JSON, "application/dicom+json; charset=utf-8"])
@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (failed(0xA700), Verdict.TRANSIENT),
        (failed(0xC000), Verdict.PERMANENT),
        (failed(0x0110, "0008119A"), Verdict.TRANSIENT),
    ],
)
def test_a_failure_under_a_success_is_a_failure_whatever_the_content_type_adds(
    service: Service,
    deliver: Callable[[str], Outcome],
    kind: str,
    content: object,
    verdict: Verdict,
) -> None:
    service.answer(content, kind=kind)
    assert deliver(service.url).verdict is verdict


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ([stored()], JSON),
        ("[1", JSON),
        ("null", JSON),
        (stored(), ""),
        ("<NativeDicomModel", "application/xml"),
        ("<html>Log in</html>", "text/html"),
        ("", JSON),
        ("{}", JSON),
        ('{"00081199": {"vr": "SQ", "Value": [{}]}}', JSON),
    ],
    ids=["list", "torn", "null", "untyped", "no XML", "page", "empty", "silent", "of another"],
)
def test_a_success_that_does_not_name_the_answer_is_tried_again(
    service: Service, deliver: Callable[[str], Outcome], content: object, kind: str
) -> None:
    service.answer(content, kind=kind)
    outcome = deliver(service.url)
    assert outcome.verdict is Verdict.TRANSIENT
    assert outcome.reason


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(503, Verdict.TRANSIENT), (429, Verdict.TRANSIENT), (400, Verdict.PERMANENT)]
    # A token that is missing or wrong, no right to store, an object of another study.
    + [(status, Verdict.PERMANENT) for status in (401, 403, 409)],
)
def test_a_refusal_is_judged_at_once_and_not_asked_for_again(
    service: Service, deliver: Callable[[str], Outcome], status: int, verdict: Verdict
) -> None:
    service.answer({}, status)
    outcome = deliver(service.url)
    assert (outcome.verdict, outcome.reason) == (verdict, f"the service answered {status}")
    assert service.requests == 1


@pytest.mark.parametrize("url", [f"http://127.0.0.1:{free_port()}", "no address", "http://[::1"])
def test_a_service_that_cannot_be_reached_is_tried_again(
    deliver: Callable[[str], Outcome], url: str
) -> None:
    assert deliver(url).verdict is Verdict.TRANSIENT


@pytest.mark.parametrize("file", ["absent.dcm", "torn.dcm"])
def test_an_answer_whose_file_cannot_be_read_is_told(
    service: Service, deliver: Callable[[str, str], Outcome], file: str
) -> None:
    assert deliver(service.url, file).verdict is Verdict.PERMANENT
    assert service.requests == 0
