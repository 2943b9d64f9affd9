"""The files of a report, written into one folder."""

from pathlib import Path
from typing import TextIO

from ..results import Evaluation
from .json_form import to_json
from .markdown_report import to_markdown
from .scores_table import write_scores

JSON = "evaluation.json"
MARKDOWN = "evaluation.md"
SCORES = "scores.csv"


class ReportFolderError(Exception):
    """The folder may not be written into; the message says why."""


def check_folder(folder: Path, overwrite: bool) -> None:
    """Refuse a folder that holds something else, before work goes into what it is to hold.

    Raises
    ------
    ReportFolderError
        It is a file, or holds other things than a report, or a report that is to be kept.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ReportFolderError(f"{folder} is a file; give a folder")
    if (folder / JSON).is_file():
        if not overwrite:
            raise ReportFolderError(f"{folder} holds a report; give --overwrite to replace it")
    elif any(folder.iterdir()):
        raise ReportFolderError(f"{folder} holds other files than a report; give another folder")


def write_report(evaluation: Evaluation, folder: Path) -> None:
    """Write every file of the report.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_text(folder / MARKDOWN, to_markdown(evaluation))
    with _open(folder / SCORES) as file:
        write_scores(evaluation, file)
    _write_text(folder / JSON, to_json(evaluation))


def _write_text(path: Path, text: str) -> None:
    with _open(path) as file:
        file.write(text)


def _open(path: Path) -> TextIO:
    # A file name that is no text, which Linux allows, must not cost the report.
    return path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
