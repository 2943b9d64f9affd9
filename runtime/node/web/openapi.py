"""The OpenAPI document of the interface for programs."""

from importlib.metadata import version
from typing import Any

from ...results import RESEARCH_USE

_ERROR = {
    "description": "Refused, with the reason.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {
                    "error": {
                        "type": "object",
                        "required": ["type", "message"],
                        "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
                    }
                },
            }
        }
    },
}
_UNAUTHORISED = {"description": "The token is missing or wrong."}
_FOREIGN = {"description": "Sent by another site's page."}
_FILE = {
    "required": True,
    "description": "A DICOM, PNG or JPEG file: as the body, or as the one file of a form.",
    "content": {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "application/dicom": {"schema": {"type": "string", "format": "binary"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        },
    },
}
_UID = {
    "name": "uid",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": r"^[0-9.]{1,64}$"},
}


def openapi_document() -> dict[str, Any]:
    """The document (OpenAPI 3.1.0)."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "brixia-edge node",
            "version": version("brixia-edge"),
            "description": RESEARCH_USE,
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
        "paths": {
            "/health/live": _open("The node runs."),
            "/health/ready": _open("The node takes images and scores them."),
            "/metrics": {"get": _operation("Prometheus' text format.", "text/plain")},
            "/api/v1/score": {
                "post": _operation(
                    "The score of a file, of which nothing is kept.",
                    "application/json",
                    body=True,
                    also={"422": _ERROR, "413": _ERROR, "503": _ERROR},
                )
            },
            "/api/v1/instances": {
                "get": _operation(
                    "The images received last.",
                    "application/json",
                    parameters=[
                        _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000}),
                        _query("state", {"type": "string"}),
                        _query("patient", {"type": "string"}),
                    ],
                    also={"400": _ERROR},
                ),
                "post": _operation(
                    "Takes up a DICOM file as a C-STORE does.",
                    "application/json",
                    body=True,
                    also={"422": _ERROR, "413": _ERROR, "507": _ERROR},
                ),
            },
            "/api/v1/instances/{uid}": {
                "get": _operation(
                    "One image, its score and its answers.",
                    "application/json",
                    parameters=[_UID],
                    also={"404": _ERROR},
                )
            },
            "/api/v1/instances/{uid}/picture": {
                "get": _operation(
                    "The picture of its score.",
                    "image/png",
                    parameters=[_UID],
                    also={"404": _ERROR},
                )
            },
            "/api/v1/state": {
                "get": _operation("How much there is of everything.", "application/json")
            },
        },
    }


def _open(meaning: str) -> dict[str, Any]:
    operation = _operation(meaning, "application/json", also={"503": {"description": "Not so."}})
    del operation["responses"]["401"]
    return {"get": {**operation, "security": []}}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _operation(
    meaning: str,
    media: str,
    body: bool = False,
    parameters: list[dict[str, Any]] | None = None,
    also: dict[str, Any] | None = None,
) -> dict[str, Any]:
    schema = {"type": "object"} if media == "application/json" else {"type": "string"}
    found: dict[str, Any] = {
        "summary": meaning,
        "responses": {
            "200": {"description": meaning, "content": {media: {"schema": schema}}},
            "401": _UNAUTHORISED,
            **(also or {}),
        },
    }
    if parameters:
        found["parameters"] = parameters
    if body:
        found["requestBody"] = _FILE
        found["responses"]["400"] = _ERROR
        found["responses"]["403"] = _FOREIGN
    return found
