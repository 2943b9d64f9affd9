"""Exact rewrites: each changes how the network is computed, none what it computes.

Every rewrite is a function that edits a `Graph` in place. `REWRITES` names them in
the order in which they are applied.
"""

from collections.abc import Callable, Mapping

from ..graph import Graph
from .fold_normalization import fold_following_normalization, fold_leading_normalization

Rewrite = Callable[[Graph], None]

REWRITES: Mapping[str, Rewrite] = {
    "fold_following_normalization": fold_following_normalization,
    "fold_leading_normalization": fold_leading_normalization,
}


def rewrite(graph: Graph) -> Graph:
    """A copy of `graph` with all rewrites applied."""
    result = graph.copy()
    for apply in REWRITES.values():
        apply(result)
    return result
