"""The node's HTTP application: routes, each a few lines over what the node knows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Any

from ...errors import BrixiaEdgeError, ImageTooLarge, MissingExtra, StateError, pip_line
from ...quality.drift import DriftReport
from ..data_folder import DataFolder
from ..meters import Meters
from ..receiving.storage import OUT_OF_RESOURCES, SUCCESS, Taken
from .auth import Guard
from .openapi import openapi_document
from .pages import page, rows
from .patients import patient_shown
from .picture import score_picture
from .uploads import uploaded
from .views import (
    alarms,
    drift_alarms,
    event_object,
    instance_object,
    model_shown,
    state_object,
)

try:
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response, StreamingResponse
    from starlette.routing import Route
except ModuleNotFoundError as error:
    raise MissingExtra.of("the node", "starlette", pip_line("node")) from error

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STATIC = {
    "node.css": "text/css; charset=utf-8",
    "node.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_LIVE_SECONDS = 1.0
_MOST = 1000


@dataclass(frozen=True)
class NodeView:
    """What the application may ask of the node.

    Attributes
    ----------
    data
        What it keeps.
    meters
        What it counts.
    ready
        Each part by name, and what is wrong with it; empty where it is well.
    take
        Takes up a file as a C-STORE does.
    score
        Scores a file of which nothing is kept: the JSON, or ``error``.
    token
        What is asked for; empty for nothing.
    largest
        Bytes of an upload.
    destinations
        Names of those that answers go to.
    show_names
        See `patients.patient_shown`.
    drift
        Compares the latest images with those that the bundle in use knows; None where it cannot.
    """

    data: DataFolder
    meters: Meters
    ready: Callable[[], Mapping[str, str]]
    take: Callable[[bytes], Taken]
    score: Callable[[bytes], Mapping[str, Any]]
    token: str
    largest: int
    destinations: Sequence[str] = ()
    show_names: bool = False
    drift: Callable[[], DriftReport | None] = lambda: None


def make_app(node: NodeView) -> Starlette:
    """Build the application.

    Parameters
    ----------
    node
        What it shows.
    """
    table: list[tuple[str, Any, list[str]]] = [
        ("/", _page, ["GET"]),
        ("/rows", _rows, ["GET"]),
        ("/static/{name}", _static, ["GET"]),
        ("/health/live", _live, ["GET"]),
        ("/health/ready", _ready, ["GET"]),
        ("/metrics", _metrics, ["GET"]),
        ("/openapi.json", _openapi, ["GET"]),
        ("/api/v1/state", _state, ["GET"]),
        ("/api/v1/events", _events, ["GET"]),
        ("/api/v1/score", _score, ["POST"]),
        ("/api/v1/instances", _list, ["GET"]),
        ("/api/v1/instances", _take, ["POST"]),
        ("/api/v1/instances/{uid}", _instance, ["GET"]),
        ("/api/v1/instances/{uid}/picture", _picture, ["GET"]),
    ]
    routes = [
        Route(path, partial(_answered, work), methods=methods) for path, work, methods in table
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Guard, token=node.token)])
    app.state.node = node
    return app


async def _answered(work: Any, request: "Request") -> "Response":
    """Run a route's work, turn our errors into answers, and add what every answer carries."""
    node: NodeView = request.app.state.node
    try:
        response = await work(node, request)
    except ImageTooLarge as error:
        response = _refused(413, error)
    except StateError as error:
        response = _refused(503, error)
    except BrixiaEdgeError as error:
        response = _refused(400, error)
    response.headers.update(_HEADERS)
    return response


def _refused(status: int, error: BrixiaEdgeError) -> "Response":
    return _error(status, type(error).__name__, str(error))


def _error(status: int, kind: str, message: str) -> "Response":
    return JSONResponse({"error": {"type": kind, "message": message}}, status)


async def _page(node: NodeView, request: "Request") -> "Response":
    parts = await asyncio.to_thread(_parts, node, request)
    return Response(page(parts), media_type="text/html")


async def _rows(node: NodeView, request: "Request") -> "Response":
    """The part of the page that changes."""
    parts = await asyncio.to_thread(_parts, node, request)
    return Response(rows(parts), media_type="text/html")


def _parts(node: NodeView, request: "Request") -> dict[str, Any]:
    views, asked = node.data.store.views, request.query_params
    counts = views.counts()
    state, patient = asked.get("state") or None, asked.get("patient") or None
    found = views.course(patient) if patient else views.latest(50, state)
    drift = node.drift()
    return {
        "counts": state_object(counts),
        "alarms": [
            *alarms(counts, node.ready(), node.destinations),
            *drift_alarms(drift),
        ],
        "shadow": views.agreement(),
        "drift": "" if drift is None else drift.sentence(),
        "images": [
            instance_object(each)
            | {
                "patient_shown": patient_shown(each.instance, node.data, node.show_names),
                "model_shown": model_shown(each.score),
                "shadow_shown": model_shown(each.shadow),
            }
            for each in found
        ],
        "state": state or "",
        "patient": patient or "",
    }


async def _static(node: NodeView, request: "Request") -> "Response":
    del node
    name = request.path_params["name"]
    if name not in _STATIC:
        return _error(404, "NotFound", "there is no such file")
    content = resources.files(__package__ or "").joinpath("static", name).read_bytes()
    return Response(content, media_type=_STATIC[name])


async def _live(node: NodeView, request: "Request") -> "Response":
    del node, request
    return JSONResponse({"live": True})


async def _ready(node: NodeView, request: "Request") -> "Response":
    del request
    parts = node.ready()
    unwell = {name: reason for name, reason in parts.items() if reason}
    told: dict[str, object] = {name: not reason for name, reason in parts.items()}
    return JSONResponse({**told, "reasons": unwell}, 503 if unwell else 200)


async def _metrics(node: NodeView, request: "Request") -> "Response":
    del request
    text = await asyncio.to_thread(node.meters.text)
    return Response(text, media_type="text/plain; version=0.0.4")


async def _openapi(node: NodeView, request: "Request") -> "Response":
    del node, request
    return JSONResponse(openapi_document())


async def _state(node: NodeView, request: "Request") -> "Response":
    del request
    return JSONResponse(state_object(await asyncio.to_thread(node.data.store.views.counts)))


async def _events(node: NodeView, request: "Request") -> "Response":
    """Server-sent events: one whenever something changed."""

    async def stream() -> AsyncIterator[str]:
        last: object = None
        while not await request.is_disconnected():
            views = node.data.store.views
            latest = await asyncio.to_thread(views.latest_event)
            counts = await asyncio.to_thread(views.counts)
            now = (counts, None if latest is None else latest.id)
            if now != last:
                last = now
                yield "event: changed\ndata: {}\n\n"
            else:
                yield ": still here\n\n"
            await asyncio.sleep(_LIVE_SECONDS)

    if "stream" in request.query_params:
        return StreamingResponse(stream(), media_type="text/event-stream")
    after = _number(request, "after", 0, 2**62)
    events = await asyncio.to_thread(node.data.store.views.events, after)
    return JSONResponse({"events": [event_object(each) for each in events]})


async def _score(node: NodeView, request: "Request") -> "Response":
    content = await uploaded(request, node.largest)
    found = await asyncio.to_thread(node.score, content)
    if "error" in found:
        return JSONResponse({"error": found["error"]}, 422 if found.get("file") else 503)
    return JSONResponse(found["score"])


async def _take(node: NodeView, request: "Request") -> "Response":
    content = await uploaded(request, node.largest)
    taken = await asyncio.to_thread(node.take, content)
    if taken.status != SUCCESS or taken.uptake is None:
        full = taken.status == OUT_OF_RESOURCES
        return _error(507 if full else 422, "Refused", taken.reason)
    told = {"sop_instance_uid": taken.sop_instance_uid, "admission": taken.uptake.value}
    return JSONResponse(told)


async def _list(node: NodeView, request: "Request") -> "Response":
    asked = request.query_params
    limit, state = _number(request, "limit", 50, _MOST), asked.get("state") or None
    views = node.data.store.views
    found = await asyncio.to_thread(views.latest, limit, state, asked.get("patient"))
    return JSONResponse({"instances": [instance_object(each) for each in found]})


def _number(request: "Request", name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= most):
        raise BrixiaEdgeError(f"{name} is {text[:20]!r}; a whole number up to {most} is allowed")
    return int(text)


async def _instance(node: NodeView, request: "Request") -> "Response":
    uid = request.path_params["uid"]
    found = await asyncio.to_thread(node.data.store.views.instance, uid)
    if found is None:
        return _error(404, "NotFound", "the node knows no image of this UID")
    return JSONResponse(instance_object(found))


async def _picture(node: NodeView, request: "Request") -> "Response":
    small = request.query_params.get("size") == "small"
    uid = request.path_params["uid"]
    content = await asyncio.to_thread(score_picture, node.data, uid, small)
    if content is None:
        return _error(404, "NotFound", "there is no picture of this image (any more)")
    return Response(content, media_type="image/png")
