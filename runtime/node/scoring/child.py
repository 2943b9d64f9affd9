"""The scoring process: is told files, answers with scores, and holds the network.

Three images are at hand at most: one is read, one is scored, one is answered. They stay in order.
Whatever a crafted image or a driver does to it, the node's other parts go on.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
from ...sources.source import PreparedRadiograph
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
        line = _Line(scorer, folder, answers)
        try:
            while True:
                line.take(receive(requests).header)
        finally:
            line.close()


class _Line:
    """Reads, scores and answers, each in a thread (reading in a process) of its own."""

    def __init__(self, scorer: Scorer, folder: Spool | None, answers: BinaryIO) -> None:
        self._scorer, self._folder, self._answers = scorer, folder, answers
        self._scoring = ThreadPoolExecutor(1, "score")
        self._answering = ThreadPoolExecutor(1, "answer")

    def take(self, request: Mapping[str, Any]) -> None:
        """Begin to read an image; the rest follows by itself."""
        reading = self._scorer.source.begin(request["path"])
        self._scoring.submit(_or_end, self._score, request, reading)

    def close(self) -> None:
        """Give up what has not begun."""
        self._scoring.shutdown(cancel_futures=True)
        self._answering.shutdown(cancel_futures=True)

    def _score(self, request: Mapping[str, Any], reading: "Future[PreparedRadiograph]") -> None:
        made: ScoredRadiograph | BrixiaEdgeError
        try:
            made = self._scorer.score_prepared(reading.result())
        except BrixiaEdgeError as error:
            made = error
        self._answering.submit(_or_end, self._answer, request, made)

    def _answer(self, request: Mapping[str, Any], made: ScoredRadiograph | BrixiaEdgeError) -> None:
        send(self._answers, Message(_answered(request, made, self._folder)))


def _or_end(work: Callable[..., None], *values: object) -> None:
    """End this process by a fault that nobody thought of: who asked would wait for ever."""
    try:
        work(*values)
    except BaseException:
        os._exit(1)


def _scorer(settings: Mapping[str, Any]) -> Scorer:
    bundle = Bundle.open(Path(settings["bundle"]) if settings["bundle"] else None)
    reading = ReadingMode(limits=ReadingLimits())
    return Scorer(bundle, settings["backend"], settings["threads"], reading=reading)


def _answered(
    request: Mapping[str, Any], made: ScoredRadiograph | BrixiaEdgeError, folder: Spool | None
) -> dict[str, object]:
    try:
        if isinstance(made, BrixiaEdgeError):
            raise made
        prior = request["prior"]
        material = Material(made, None if prior is None else PriorReport(**prior))
        objects = [] if folder is None else list(answer(material, request["kinds"], folder))
        remarks = material.part(read_source).remarks if objects else ()
        return {
            "score": _score(made, remarks),
            "observed": observe(made),
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
