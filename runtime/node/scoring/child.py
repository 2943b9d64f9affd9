"""The scoring process: is told files, answers with scores, and holds the network.

Whatever a crafted image or a driver does to it, the node's other parts go on.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ...bundles.bundle import Bundle
from ...errors import BrixiaEdgeError, CannotRun
from ...quality.reference_histograms import observe
from ...reports.dicom.source import read_source
from ...reports.json_lines import as_object
from ...reports.material import Material
from ...reports.prior import PriorReport
from ...results import ScoredRadiograph
from ...scorer import Scorer
from ...sources.isolated import ReadingMode
from ...sources.messages import BrokenMessage, Message, receive, send
from ...sources.process import ReadingLimits
from ..receiving.spool import Spool
from .answers import KINDS, answer


def main() -> None:
    """Serve until the parent closes its end."""
    stream = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever a library prints must not pass for an answer.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    try:
        serve(sys.stdin.buffer, stream)
    except (BrokenMessage, BrokenPipeError):
        return


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Open the bundle that the first message names, and score what the others do."""
    settings: Mapping[str, Any] = receive(requests).header
    try:
        scorer = _scorer(settings)
    except BrixiaEdgeError as error:
        send(answers, Message(_told(error)))
        return
    folder = Spool(Path(settings["objects"])) if settings["objects"] else None
    for kind in KINDS.values() if folder is not None else ():
        # Heavy libraries; the first image must not wait for them.
        kind.load()
    with scorer:
        send(answers, Message({"backend": scorer.session.backend, "bundle": scorer.bundle.digest}))
        while True:
            request: Mapping[str, Any] = receive(requests).header
            send(answers, Message(_answer(scorer, request, folder)))


def _scorer(settings: Mapping[str, Any]) -> Scorer:
    bundle = Bundle.open(Path(settings["bundle"]) if settings["bundle"] else None)
    reading = ReadingMode(limits=ReadingLimits())
    return Scorer(bundle, settings["backend"], settings["threads"], reading=reading)


def _answer(scorer: Scorer, request: Mapping[str, Any], folder: Spool | None) -> dict[str, object]:
    try:
        result = scorer.score(request["path"])
        prior = request["prior"]
        material = Material(result, None if prior is None else PriorReport(**prior))
        objects = [] if folder is None else list(answer(material, request["kinds"], folder))
        remarks = material.part(read_source).remarks if objects else ()
        return {
            "score": _score(result, remarks),
            "observed": observe(result),
            "objects": [vars(each) for each in objects],
        }
    except CannotRun as error:
        return {"unable": str(error)}
    except BrixiaEdgeError as error:
        return _told(error)
    except OSError as error:
        return {"disk": error.strerror or type(error).__name__}


def _score(result: ScoredRadiograph, remarks: Sequence[str]) -> dict[str, object]:
    """What `brixia-edge score --format json` prints, without the file's name."""
    members = as_object(result)
    del members["file"]
    return {**members, "remarks": list(remarks)} if remarks else members


def _told(error: BrixiaEdgeError) -> dict[str, object]:
    return {"error": {"type": type(error).__name__, "message": str(error)}}
