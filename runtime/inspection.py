"""What a bundle is, in words: for `brixia-edge inspect`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from .bundle import MANIFEST, Bundle
from .results import RESEARCH_USE

PARITY = "parity.json"


def inspect_lines(bundle: Bundle) -> Iterator[str]:
    """Describe an opened (so verified) bundle, a line at a time."""
    manifest = bundle.manifest
    yield f"{bundle.root}: every file matches its digest"
    entries = {
        "name": manifest.name,
        "variant": manifest.variant,
        "precision": manifest.precision,
        "preparation": f"{manifest.preprocess.recipe}, {manifest.preprocess.size} pixels",
        "weights sha256": manifest.weights_sha256,
        "licence": manifest.licence,
        "intended use": manifest.intended_use,
        "largest batch": str(manifest.max_batch),
        "built with": ", ".join(f"{name} {number}" for name, number in manifest.built_with.items()),
    }
    yield from _aligned(entries)
    yield "tensors"
    yield from _aligned({name: _tensor(kind) for name, kind in _tensors(bundle).items()})
    yield "files"
    yield from _aligned({name: _file(bundle, name) for name in manifest.files})
    yield from _parity(bundle)
    yield RESEARCH_USE


def inspect_entries(bundle: Bundle) -> dict[str, object]:
    """Describe an opened bundle as JSON-ready entries: the manifest and the parity report."""
    manifest: dict[str, object] = json.loads((bundle.root / MANIFEST).read_text(encoding="utf-8"))
    return {"manifest": manifest, "parity": read_parity(bundle), "notice": RESEARCH_USE}


def read_parity(bundle: Bundle) -> dict[str, Any]:
    """The bundle's parity report; empty when it has none."""
    if PARITY not in bundle.manifest.files:
        return {}
    return cast(dict[str, Any], json.loads((bundle.root / PARITY).read_text(encoding="utf-8")))


def parity_lines(parity: Mapping[str, Any]) -> Iterator[str]:
    """A readable table of a parity report."""
    for comparison in parity.get("comparisons", ()):
        yield f"parity with the {comparison['reference']}, {comparison['images']} images"
        yield f"  {'output':<16}{'relative L2':>12}{'largest':>12}{'allowed L2':>12}"
        for name, error in comparison["outputs"].items():
            yield (
                f"  {name:<16}{error['relative_l2']:>12.1e}{error['maximum']:>12.1e}"
                f"{error['tolerance']:>12.0e}"
            )


def _parity(bundle: Bundle) -> Iterator[str]:
    yield from parity_lines(read_parity(bundle))


def _tensors(bundle: Bundle) -> dict[str, Mapping[str, object]]:
    return {**bundle.manifest.inputs, **bundle.manifest.outputs}


def _tensor(kind: Mapping[str, object]) -> str:
    shape = cast(list[object], kind["shape"])
    return f"{kind['dtype']} [{', '.join(map(str, shape))}]"


def _file(bundle: Bundle, name: str) -> str:
    size = (bundle.root / name).stat().st_size
    return f"{size / 1e6:8.2f} MB  sha256 {bundle.manifest.files[name][:16]}..."


def _aligned(entries: Mapping[str, str]) -> Iterator[str]:
    width = max(map(len, entries), default=0)
    for name, value in entries.items():
        yield f"  {name:<{width}}  {value}"
