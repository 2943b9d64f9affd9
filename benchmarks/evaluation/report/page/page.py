"""The page: one HTML file with style, drawings and pictures inside, and no script."""

from collections import defaultdict
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .....runtime.plain_text import printable_lines
from ...results import Evaluation
from ..sections import sections
from .case_pictures import CaseView
from .plots import drawings

REPORT = "report.html"


def render(evaluation: Evaluation, views: Sequence[CaseView]) -> str:
    """Make the page's text; names from files are escaped.

    Parameters
    ----------
    evaluation
        What is reported.
    views
        The worst and best cases in pictures.
    """
    here = __package__ or ""
    environment = Environment(
        loader=PackageLoader(here),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=_finished,
    )
    template = environment.get_template(REPORT)
    return template.render(
        evaluation=evaluation,
        sections=sections(evaluation),
        drawings=defaultdict(tuple, drawings(evaluation)),
        views=views,
        labels=" and ".join(bundle.label for bundle in evaluation.bundles),
        readers=", ".join(f"radiologist {name}" for name in evaluation.readers),
    )


def _finished(value: object) -> object:
    """Take out of every text what would steer a terminal or turn the reading direction."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable_lines(value)
    return value
