"""`brixia-edge node model install`: a bundle is copied, verified, tried, and only then used."""

import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ...bundles.bundle import Bundle
from ...errors import BundleError
from ...files import why
from ..scoring.process import ScoringSettings
from .golden import score_golden
from .installed import InstalledModels
from .signature import verify_signature


@dataclass(frozen=True)
class InstallationRules:
    """What a bundle must stand before it is used.

    Attributes
    ----------
    settings
        Backend and threads by which the node scores.
    verification_key
        Must have signed it; None where no signature is asked for.
    """

    settings: ScoringSettings
    verification_key: Path | None = None


def install(source: Path, models: InstalledModels, rules: InstallationRules) -> Bundle:
    """Install a bundle and use it from now on; a running node does so with its next image.

    All is done to a copy, so that what was verified is what is used.

    Parameters
    ----------
    source
        The bundle's folder.
    models
        Where to.
    rules
        What it must stand.

    Raises
    ------
    BundleError, BackendUnavailable, ConfigurationError, MissingExtra
        It is refused, and nothing has changed.
    """
    original = Bundle.open(source)
    try:
        models.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".install-", dir=models.folder) as workshop:
            copy = _copied(original, Path(workshop) / "bundle")
            if rules.verification_key is not None:
                verify_signature(copy.root, rules.verification_key)
            settings = replace(rules.settings, bundle=copy.root, objects=None)
            score_golden(copy, settings, Path(workshop))
            place = models.place(copy.digest)
            if place.exists():
                # The same bundle, or what damage has left of it.
                place.rename(Path(workshop) / "replaced")
            copy.root.rename(place)
            _synchronise([models.folder])
    except OSError as error:
        raise BundleError(
            f"the bundle cannot be copied to {models.folder}: {why(error)}"
        ) from error
    models.choose(copy.digest)
    return Bundle(place, copy.manifest)


def _copied(bundle: Bundle, target: Path) -> Bundle:
    """Copy its folder to the disk, and verify the copy.

    Files that the manifest does not list come along: a signature covers these, too.
    """
    for path in bundle.root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            place = target / path.relative_to(bundle.root)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    _synchronise([*target.rglob("*"), target])
    return Bundle.open(target)


def _synchronise(paths: Iterable[Path]) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
