"""What an export may choose."""

from dataclasses import dataclass, field
from pathlib import Path

from ..runtime.preparation.preprocess import PreprocessSpec

STORAGES = ("float32", "float16")
"""How a file may store weights."""


@dataclass(frozen=True)
class ExportOptions:
    """What an export may choose.

    Attributes
    ----------
    name
        The bundle's name; it goes with every score.
    licence
        The licence of the weights.
    precision
        ``fp32``, ``fp16`` or ``int8``; see `lower_precision` for the latter two.
    preprocess
        How radiographs were prepared when the weights were trained.
    max_batch
        The largest batch that engines will be built for.
    storage
        ``float16`` halves the file; the arithmetic stays float32.
    golden
        A file of the original network's outputs for these weights, to be compared with.
    model_card
        A text about the model to put into the bundle.
    overwrite
        Replace an existing bundle.
    """

    name: str
    licence: str = "not stated: the licence of the weights applies"
    precision: str = "fp32"
    preprocess: PreprocessSpec = field(default_factory=lambda: PreprocessSpec("equalize"))
    max_batch: int = 16
    storage: str = "float32"
    golden: Path | None = None
    model_card: Path | None = None
    overwrite: bool = False
