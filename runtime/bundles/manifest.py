"""A bundle's manifest, ``manifest.json``: what it says of itself, and its files' digests."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from ..contract import IMAGE, INPUT_SIZE, OUTPUTS
from ..documents import (
    RELATIVE_PATH,
    SHA256,
    TEXT,
    Schema,
    exactly,
    list_of,
    map_of,
    one_of,
    parse_document,
    version,
    whole,
)
from ..errors import BundleError
from ..preparation.preprocess import RECIPES, PreprocessSpec

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
MODEL = "model.onnx"
PRECISIONS = ("fp32", "fp16", "int8")

_LARGEST_BATCH = 1024
_ADVICE = "copy or export the bundle again, or update brixia-edge"


def _tensor(*shape: int) -> Schema:
    """How a tensor of the network's contract is described: any batch of this shape."""
    sizes = [{"type": "integer", "const": size, "description": str(size)} for size in shape]
    items = [{"const": "N", "description": "'N', for any batch"}, *sizes]
    form = {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}
    told = {"description": f"a list of {', '.join(map(str, ('N', *shape)))}"}
    return exactly({"dtype": one_of("float32"), "shape": form | told})


_PREPROCESS: Schema = {
    **exactly({"recipe": one_of(*RECIPES), "size": one_of(INPUT_SIZE)}),
    "required": ["recipe"],  # of the size there is one only
}

_ENTRIES = exactly(
    {
        "schema_version": version(SCHEMA_VERSION),
        **dict.fromkeys(("name", "licence", "intended_use", "variant"), TEXT),
        "weights_sha256": SHA256,
        "exact_weights_sha256": SHA256,
        "precision": one_of(*PRECISIONS),
        "preprocess": _PREPROCESS,
        "inputs": exactly({IMAGE: _tensor(1, INPUT_SIZE, INPUT_SIZE)}),
        "outputs": exactly({name: _tensor(*shape) for name, shape in OUTPUTS.items()}),
        "max_batch": whole(1, _LARGEST_BATCH),
        "built_with": map_of(TEXT, 100),
        "files": {**map_of(SHA256, 1000, RELATIVE_PATH), "required": [MODEL]},
        "engines": list_of({"type": "object"}, 100),
    }
)
_LIGHT_ONLY = "exact_weights_sha256"

SCHEMA = {
    **_ENTRIES,
    "required": [name for name in _ENTRIES["required"] if name != _LIGHT_ONLY],
}
"""Of a manifest; `PreprocessSpec` and `engine_file.EngineRecord` check their own entries."""


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Attributes
    ----------
    name, licence, intended_use
        For people; the intended use is research.
    variant
        The network's architecture.
    weights_sha256
        Digest of the network's weights (names, shapes and float32 values). A light network has
        weights of its own.
    precision
        ``fp32``, ``fp16`` or ``int8``.
    preprocess
        How a radiograph becomes the network's input.
    inputs, outputs
        Tensor names with dtype and shape.
    max_batch
        The largest batch that engines are built for.
    built_with
        Versions of what built the bundle.
    files
        SHA-256 of every other file of the bundle, by relative path.
    engines
        TensorRT engines in the bundle, as their sidecars describe them.
    exact_weights_sha256
        Of a light network, whose decoder was learned from an exact one: the digest of the weights
        of that. None for an exact network, whose manifest has no such entry.
    """

    name: str
    licence: str
    intended_use: str
    variant: str
    weights_sha256: str
    precision: str
    preprocess: PreprocessSpec
    inputs: Mapping[str, Mapping[str, object]]
    outputs: Mapping[str, Mapping[str, object]]
    max_batch: int
    built_with: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    engines: tuple[Mapping[str, object], ...] = ()
    schema_version: int = SCHEMA_VERSION
    exact_weights_sha256: str | None = None

    @property
    def is_light(self) -> bool:
        """Whether a light decoder stands in the network for the one of the exact network."""
        return self.exact_weights_sha256 is not None

    def to_json(self) -> str:
        """Write the manifest as readable JSON."""
        entries = asdict(self) | {"preprocess": self.preprocess.to_dict()}
        if not self.is_light:
            # Bundles of exact networks keep their digests, which name scores and reports.
            del entries[_LIGHT_ONLY]
        return json.dumps(entries, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "Manifest":
        """Read a manifest.

        Raises
        ------
        BundleError
            It is not JSON, of another schema, or an entry is missing, unknown or not allowed.
        """
        entries = parse_document(text, SCHEMA, MANIFEST, BundleError, _ADVICE)
        if entries.get(_LIGHT_ONLY) == entries["weights_sha256"]:
            raise BundleError(
                f"{MANIFEST} has the {_LIGHT_ONLY} {entries[_LIGHT_ONLY]}, which is its "
                f"weights_sha256, too; allowed is another, as a light network has weights of its "
                f"own; {_ADVICE}"
            )
        spec = PreprocessSpec.from_dict(entries["preprocess"])
        entries |= {"preprocess": spec, "engines": tuple(entries["engines"])}
        return cls(**entries)
