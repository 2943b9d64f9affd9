"""Exact rewrites: each changes how the network is computed, none what it computes.

Every rewrite is a function that edits a `Graph` in place, and is named in a table in the
order in which it is applied: `REWRITES` serve every runtime and precision, `FLOAT_REWRITES`
and `QUANTIZED_REWRITES` follow them for float32 and for INT8 on a CPU.
"""

from collections.abc import Callable, Mapping

from ..graph.graph import Graph
from .fold_normalization import fold_following_normalization, fold_leading_normalization
from .merge_resamplings import merge_resamplings
from .reduce_before_sampling import reduce_before_sampling
from .sample_mask_where_read import sample_mask_where_read
from .split_concatenations import split_concatenations
from .stack_heads import stack_heads
from .subpixel_upsampling import subpixel_upsampling

Rewrite = Callable[[Graph], None]

REWRITES: Mapping[str, Rewrite] = {
    "fold_following_normalization": fold_following_normalization,
    "fold_leading_normalization": fold_leading_normalization,
    "reduce_before_sampling": reduce_before_sampling,
    "merge_resamplings": merge_resamplings,
    "sample_mask_where_read": sample_mask_where_read,
    "stack_heads": stack_heads,
}


FLOAT_REWRITES: Mapping[str, Rewrite] = {
    "subpixel_upsampling": subpixel_upsampling,
    "split_concatenations": split_concatenations,
}

QUANTIZED_REWRITES: Mapping[str, Rewrite] = {"subpixel_upsampling": subpixel_upsampling}


def rewrite(graph: Graph, *tables: Mapping[str, Rewrite]) -> Graph:
    """A copy of `graph` with `REWRITES`, then the rewrites of further tables applied."""
    result = graph.copy()
    for table in (REWRITES, *tables):
        for apply in table.values():
            apply(result)
    return result
