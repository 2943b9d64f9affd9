"""What a bundle is, in words: for `brixia-edge inspect`."""

import json
from collections.abc import Iterator, Mapping
from typing import cast

from ..bundles.bundle import Bundle
from ..bundles.manifest import Manifest
from ..bundles.parity_report import parity_lines, read_parity
from ..results import RESEARCH_USE


def inspect_lines(bundle: Bundle) -> Iterator[str]:
    """Describe an opened (so verified) bundle, a line at a time."""
    manifest = bundle.manifest
    yield f"{bundle.root}: every file matches its digest"
    entries = {
        "name": manifest.name,
        "variant": manifest.variant,
        "precision": bundle.identity.kind,
        "preparation": f"{manifest.preprocess.recipe}, {manifest.preprocess.size} pixels",
        "weights sha256": manifest.weights_sha256,
        **_exact_weights(manifest),
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
    yield from parity_lines(read_parity(bundle))
    yield RESEARCH_USE


def inspect_entries(bundle: Bundle) -> dict[str, object]:
    """Describe an opened bundle as JSON-ready entries: the manifest and the parity report."""
    manifest: dict[str, object] = json.loads(bundle.manifest.to_json())
    return {"manifest": manifest, "parity": read_parity(bundle), "notice": RESEARCH_USE}


def _exact_weights(manifest: Manifest) -> dict[str, str]:
    """Of a light network, those that it was learned from."""
    exact = manifest.exact_weights_sha256
    return {} if exact is None else {"exact weights sha256": exact}


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
