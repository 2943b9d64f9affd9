"""The reading process: is told paths, answers with prepared radiographs or with reasons.

It holds nothing but what reading needs and lives within limits: a decoder that a crafted file
leads astray can exhaust or crash this process alone.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

import cv2

from ..errors import BrixiaEdgeError, UnreadableImage
from ..preparation.preprocess import PreprocessSpec
from ..reading.options import ReadingOptions
from .messages import BrokenMessage, Message, answers, members, number, receive, send, text
from .process_limits import limit_further_time, limit_process
from .radiograph_message import error_message, prepared_message
from .source import prepare_file


def main() -> None:
    """Serve until the parent closes its end."""
    cv2.setNumThreads(1)  # the network has the cores
    try:
        _serve(sys.stdin.buffer, answers())
    except (BrokenMessage, BrokenPipeError):
        return


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    settings = receive(requests).header
    spec = PreprocessSpec.from_dict(members(settings["preprocess"]))
    # The parent is trusted: these are its own.
    options = ReadingOptions(**cast(dict[str, Any], settings["options"]))
    limited = limit_process(int(number(settings["memory"])))
    send(answers, Message({"memory_limited": limited}))
    # While nothing waits for it; `read_radiograph` would import them with the first file.
    for reader in ("dicom.reader", "image_reader"):
        import_module(f"..reading.{reader}", __package__)
    while True:
        path = text(receive(requests).header["path"])
        limit_further_time(number(settings["seconds"]))
        send(answers, _answer(path, spec, options))


def _answer(path: str, spec: PreprocessSpec, options: ReadingOptions) -> Message:
    try:
        return prepared_message(prepare_file(Path(path), spec, options))
    except BrixiaEdgeError as error:
        return error_message(error)
    except Exception as error:
        # The text is left out: it may hold what the file holds.
        reason = f"cannot be read, through a fault of brixia-edge ({type(error).__name__})"
        return error_message(UnreadableImage(f"{reason}; please report it"))
