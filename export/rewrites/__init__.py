"""Exact rewrites: each changes how the network is computed, none what it computes.

Every rewrite is a function that edits a `Graph` in place. `REWRITES` names them in
the order in which they are applied.
"""

from collections.abc import Callable, Mapping

from ..graph import Graph
from .fold_normalization import fold_following_normalization, fold_leading_normalization
from .merge_resamplings import merge_resamplings
from .reduce_before_sampling import reduce_before_sampling
from .sample_mask_where_read import sample_mask_where_read
from .stack_heads import stack_heads

Rewrite = Callable[[Graph], None]

REWRITES: Mapping[str, Rewrite] = {
    "fold_following_normalization": fold_following_normalization,
    "fold_leading_normalization": fold_leading_normalization,
    "reduce_before_sampling": reduce_before_sampling,
    "merge_resamplings": merge_resamplings,
    "sample_mask_where_read": sample_mask_where_read,
    "stack_heads": stack_heads,
}


def rewrite(graph: Graph) -> Graph:
    """A copy of `graph` with all rewrites applied."""
    result = graph.copy()
    for apply in REWRITES.values():
        apply(result)
    return result
