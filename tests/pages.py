"""The pages for people, README.md and docs/*.md, taken apart: sections and blocks of code.

A block of commands (``sh``, ``console``, ``python``) may have a remark in the paragraph above:
``<!-- run: slow; weights -->`` says how the example is run, ``<!-- not run: why -->`` why it is
not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

COMMANDS = ("sh", "console", "python")
"""The languages of blocks that a reader may type."""

_BLOCK = re.compile(
    r"(?:^<!-- (?P<verb>run|not run): (?P<words>[^\n]*) -->\n\n)?"
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes
    ----------
    page, section
        Where it stands: the file, and the heading above.
    language
        As the fence names it; empty where it names none.
    text
        What stands between the fences.
    how
        The words of ``run:``, apart.
    reason
        The words of ``not run:``.
    """

    page: str
    section: str
    language: str
    text: str
    how: tuple[str, ...] = ()
    reason: str = ""

    @property
    def is_example(self) -> bool:
        """Whether it is to be run, and compared with what it shows."""
        return self.language in COMMANDS and not self.reason

    @property
    def commands(self) -> str:
        """What a reader types, without the prompts."""
        if self.language != "console":
            return self.text
        return "\n".join(
            line[2:] for line in self.text.splitlines() if line.startswith(("$ ", "> "))
        )

    @property
    def shown(self) -> str:
        """What a console block shows that its commands print."""
        lines = self.text.splitlines()
        return "\n".join(line for line in lines if not line.startswith(("$ ", "> ")))


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for title, body in sections(text):
        for found in _BLOCK.finditer(body):
            words = found["words"] or ""
            how = tuple(word.strip() for word in words.split(";")) if found["verb"] == "run" else ()
            reason = words if found["verb"] == "not run" else ""
            yield Block(page.name, title, found["language"], found["text"], how, reason)


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Headings of the second level with what stands below; the first has the page's own heading."""
    parts = re.split(r"^##? (.*)$", text, flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def all_blocks() -> list[Block]:
    """Every fenced block of every page."""
    return [block for page in PAGES for block in blocks(page)]
