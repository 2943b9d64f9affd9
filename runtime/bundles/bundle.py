"""A bundle: the network, how to prepare its input, and the proof of what it is.

A bundle is a directory with ``manifest.json``, ``model.onnx`` and whatever its
precision adds. Its hashes are checked whenever it is opened.
"""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Protocol

from ..documents import LARGEST_DOCUMENT
from ..errors import BundleError
from ..files import digest, digest_file, read_file, why
from ..results import EXACT, LIGHT, ModelIdentity
from .manifest import MANIFEST, MODEL, Manifest
from .network_file import LARGEST_NETWORK, check_network


class Network(Protocol):
    """A network and what must be known to run it: a bundle, or what is to become one."""

    @property
    def manifest(self) -> Manifest:
        """What is said of it."""
        ...

    @property
    def model(self) -> Path | bytes:
        """Its ONNX file, or the content of one."""
        ...


@dataclass(frozen=True)
class Bundle:
    """An opened, verified bundle."""

    root: Path
    manifest: Manifest

    @classmethod
    def open(cls, root: Path | None = None) -> "Bundle":
        """Open a bundle and check every file against the manifest.

        Parameters
        ----------
        root
            The bundle's directory; None opens the one that ships with the package.

        Raises
        ------
        BundleError
            The directory is no bundle, or a file is missing or altered; the message names it.
        """
        root = shipped_bundle() if root is None else root
        manifest = _read_manifest(root)
        for name, expected in manifest.files.items():
            _check_file(root, name, expected)
        return cls(root, manifest)

    @property
    def model(self) -> Path:
        """The ONNX file of the network."""
        return self.root / MODEL

    @property
    def paths(self) -> tuple[Path, ...]:
        """All its files, the manifest first."""
        return tuple(self.root / name for name in (MANIFEST, *self.manifest.files))

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest, which holds those of all files; in hexadecimal."""
        return digest(self.manifest.to_json().encode())

    @property
    def identity(self) -> ModelIdentity:
        """The name, precision, weights digest and variant that go with every score."""
        manifest = self.manifest
        variant = LIGHT if manifest.is_light else EXACT
        return ModelIdentity(manifest.name, manifest.precision, manifest.weights_sha256, variant)


def shipped_bundle() -> Path:
    """The directory of the bundle that ships with the package."""
    return Path(str(resources.files("brixia_edge.runtime.model")))


def shipped_light_bundle() -> Path:
    """The directory of the light bundle that ships with the package.

    Raises
    ------
    BundleError
        None ships with this installation.
    """
    root = Path(str(resources.files("brixia_edge.runtime.model.light")))
    if not (root / MANIFEST).is_file():
        raise BundleError(
            f"no light bundle ships with this installation: {root} has no {MANIFEST}; install a "
            "brixia-edge that brings one, or give a light bundle by --bundle"
        )
    return root


def _read_manifest(root: Path) -> Manifest:
    try:
        content = read_file(root / MANIFEST, LARGEST_DOCUMENT)
    except OSError as error:
        raise BundleError(
            f"{root} is not a bundle: its {MANIFEST} cannot be read ({why(error)}); "
            "give the directory that `brixia-edge export` wrote"
        ) from error
    return Manifest.from_json(content)


def _check_file(root: Path, name: str, expected: str) -> None:
    path = root / name
    if root.resolve() not in path.resolve().parents:
        raise BundleError(f"{MANIFEST} lists {name!r}, which lies outside the bundle")
    try:
        content = read_file(path, LARGEST_NETWORK) if name == MODEL else None
        actual = digest_file(path) if content is None else digest(content)
    except OSError as error:
        raise BundleError(
            f"{path} cannot be read ({why(error)}); copy or export the bundle again"
        ) from error
    if actual != expected:
        raise BundleError(
            f"{path} was altered: its sha256 is {actual[:12]}..., the manifest says "
            f"{expected[:12]}...; copy or export the bundle again"
        )
    if content is not None:
        check_network(content, str(path))
