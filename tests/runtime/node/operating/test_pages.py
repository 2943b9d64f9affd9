"""What the node prints for others: the conformance statement."""

from pathlib import Path

from brixia_edge.runtime.node.operating.conformance import conformance_statement

DOCS = Path(__file__).parents[4] / "docs"


def test_the_statement_in_the_docs_is_the_codes() -> None:
    # The version is in a line of its own making.
    page = (DOCS / "conformance.md").read_text(encoding="utf-8").splitlines()
    told = conformance_statement().splitlines()
    assert [line for line in page if "Annex N;" not in line] == [
        line for line in told if "Annex N;" not in line
    ]
