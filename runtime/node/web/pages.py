"""The page for people: what is going on, what needs someone, the latest scores."""

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ...results import RESEARCH_USE


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(__package__ or ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(parts: dict[str, Any]) -> str:
    """The whole page; everything from outside is escaped."""
    return _render("page.html", parts)


def rows(parts: dict[str, Any]) -> str:
    """The part of it that changes."""
    return _render("rows.html", parts)


def _render(name: str, parts: dict[str, Any]) -> str:
    return _environment().get_template(name).render(notice=RESEARCH_USE, **parts)
