"""``evaluation.md``: the sections of an evaluation in GitHub's Markdown, and the model cards."""

import re
from collections.abc import Iterable, Iterator

from ....runtime.plain_text import markdown_text, printable_lines
from ...tables import markdown_table
from ..results import EvaluatedBundle, Evaluation
from .sections import sections
from .table import Section

_MODELS = "models"
"""The section that the model cards follow."""

_HEADING = re.compile(r"^(#{1,6}) ", re.MULTILINE)
_DEEPEST = 6


def to_markdown(evaluation: Evaluation) -> str:
    """Write an evaluation; names from files are escaped."""
    labels = " and ".join(bundle.label for bundle in evaluation.bundles)
    paragraphs = [f"# {markdown_text(labels)} beside radiologists", f"**{evaluation.notice}**"]
    for part in sections(evaluation):
        paragraphs.extend(_section(part))
        if part.key == _MODELS:
            paragraphs.extend(_cards(evaluation.bundles))
    return "\n\n".join(paragraphs) + "\n"


def _section(part: Section) -> Iterator[str]:
    yield f"## {part.title}"
    yield from part.sentences
    for table in part.tables:
        yield f"**{markdown_text(table.caption)}**"
        yield "\n".join(markdown_table(table.header, table.rows))


def _cards(bundles: Iterable[EvaluatedBundle]) -> Iterator[str]:
    """Model cards, each once; their headings go below the section's."""
    cards: dict[str, list[str]] = {}
    for bundle in bundles:
        if bundle.model_card:
            cards.setdefault(bundle.model_card, []).append(bundle.label)
    for card, labels in cards.items():
        yield f"### Model card of {markdown_text(' and '.join(labels))}"
        yield _HEADING.sub(
            lambda found: "#" * min(len(found[1]) + 3, _DEEPEST) + " ",
            printable_lines(card.strip()),
        )
