"""The files of a report, written into one folder."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from ....runtime.commands.writing import OutputRule
from ....runtime.errors import OutputRefused
from ..results import Evaluation
from .json_form import to_json
from .markdown_report import to_markdown
from .page.case_pictures import CaseView
from .page.page import REPORT as PAGE
from .page.page import render
from .scores_table import write_scores

JSON = "evaluation.json"
MARKDOWN = "evaluation.md"
SCORES = "scores.csv"


def check_folder(folder: Path, rule: OutputRule) -> None:
    """Refuse a folder that holds something else, before work goes into what it is to hold.

    Raises
    ------
    OutputRefused
        It is a file, or holds other things than a report, a report that is to be kept, or an input.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputRefused(f"{folder} is a file; give a folder")
    if not (folder / JSON).is_file() and any(folder.iterdir()):
        raise OutputRefused(f"{folder} holds other files than a report; give another folder")
    for name in (JSON, MARKDOWN, SCORES, PAGE):
        rule.check(folder / name)


def report_files(evaluation: Evaluation, views: Sequence[CaseView]) -> dict[str, bytes]:
    """Every file of the report by its name; that which marks a folder as a report's comes first.

    Parameters
    ----------
    evaluation
        What is reported.
    views
        The worst and best cases in pictures.
    """
    scores = StringIO(newline="")
    write_scores(evaluation, scores)
    texts = {
        JSON: to_json(evaluation),
        MARKDOWN: to_markdown(evaluation),
        SCORES: scores.getvalue(),
        PAGE: render(evaluation, views),
    }
    # A file name that is no text, which Linux allows, must not cost the report.
    return {name: text.encode("utf-8", "backslashreplace") for name, text in texts.items()}
