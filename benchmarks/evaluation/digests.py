"""Digests of images: which set was evaluated, and which of it a calibration has seen."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ...calibration.ranges.table import calibrated_images
from ...runtime.bundles.bundle import Bundle
from ...runtime.files import digest, digest_file


def image_digests(root: Path, files: Iterable[Path]) -> Mapping[str, str]:
    """SHA-256 of files by their path relative to `root`."""
    return {path.relative_to(root).as_posix(): digest_file(path) for path in files}


def digest_set(digests: Mapping[str, str]) -> str:
    """SHA-256 over lines ``<digest>  <relative path>``, sorted by path, as ``sha256sum`` writes.

    So it can be had without this package where all files of a flat folder were evaluated:
    ``LC_ALL=C sha256sum * | sha256sum``.
    """
    lines = (f"{digests[name]}  {name}\n" for name in sorted(digests))
    return digest("".join(lines).encode("utf-8", "surrogateescape"))


def count_calibrated(bundle: Bundle, digests: Mapping[str, str]) -> int:
    """How many of the images the bundle's calibration used; 0 when it has none."""
    return len(calibrated_images(bundle) & set(digests.values()))
