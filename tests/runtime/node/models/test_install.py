"""A bundle is used only after it was verified and tried; a refused one changes nothing."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.manifest import Manifest
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.errors import BundleError, CannotRun, ConfigurationError, StateError
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.models.golden import GOLDEN, drawn_radiograph
from brixia_edge.runtime.node.models.install import InstallationRules, install
from brixia_edge.runtime.node.models.installed import InstalledModels
from brixia_edge.runtime.node.models.signature import SIGNATURE
from brixia_edge.runtime.node.scoring.process import ScoringSettings
from make_models import tiny_model

RULES = InstallationRules(ScoringSettings(None, "onnxruntime", 1))


@pytest.fixture
def models(data: DataFolder, tiny_bundle: Bundle) -> InstalledModels:
    return InstalledModels(data.store, data.root / "models", tiny_bundle.root)


@pytest.fixture
def bundle(tmp_path: Path, tiny_manifest: Manifest) -> Callable[..., Bundle]:
    """Another bundle of the same kind, by its name."""

    def make(name: str, **files: bytes) -> Bundle:
        contents = {"model.onnx": tiny_model(), **files}
        return write_bundle(tmp_path / name, replace(tiny_manifest, name=name), contents)

    return make


def golden(zones: object) -> dict[str, bytes]:
    scores = json.dumps({"drawn.png": zones}).encode()
    return {GOLDEN: scores, "golden/drawn.png": drawn_radiograph()}


def in_use(models: InstalledModels) -> str:
    return Bundle.open(models.current()).manifest.name


def test_an_installed_bundle_is_used_and_taken_back(
    models: InstalledModels, bundle: Callable[..., Bundle]
) -> None:
    assert in_use(models) == "tiny"
    for name in ("second", "third"):
        install(bundle(name).root, models, RULES)
        assert in_use(models) == name
    assert models.roll_back() == models.chosen[0]
    assert in_use(models) == "second"
    models.roll_back()
    assert in_use(models) == "third"


def test_only_the_bundle_in_use_and_the_one_before_are_kept(
    models: InstalledModels, bundle: Callable[..., Bundle]
) -> None:
    for name in ("second", "third", "fourth"):
        install(bundle(name).root, models, RULES)
    kept = {Bundle.open(path).manifest.name for path in models.folder.iterdir()}
    assert kept == {"third", "fourth"}


def test_the_first_installed_one_goes_back_to_the_configured(
    models: InstalledModels, bundle: Callable[..., Bundle]
) -> None:
    with pytest.raises(StateError, match="no bundle was used before"):
        models.roll_back()
    install(bundle("second").root, models, RULES)
    models.roll_back()
    assert in_use(models) == "tiny"


def test_what_is_used_no_longer_depends_on_where_it_came_from(
    models: InstalledModels, bundle: Callable[..., Bundle]
) -> None:
    source = bundle("second").root
    install(source, models, RULES)
    shutil.rmtree(source)
    assert in_use(models) == "second"


def test_a_damaged_copy_is_mended_by_installing_again(
    models: InstalledModels, bundle: Callable[..., Bundle]
) -> None:
    source = bundle("second").root
    used = install(source, models, RULES)
    used.model.write_bytes(b"damaged")
    install(source, models, RULES)
    assert in_use(models) == "second"


def refused(models: InstalledModels, source: Path, rules: InstallationRules = RULES) -> str:
    """Why a bundle is refused; nothing may have changed."""
    before = (models.chosen, sorted(models.folder.glob("*")))
    with pytest.raises((BundleError, ConfigurationError)) as told:
        install(source, models, rules)
    assert (models.chosen, sorted(models.folder.glob("*"))) == before
    return str(told.value)


def test_an_altered_bundle_is_refused(
    models: InstalledModels, bundle: Callable[..., Bundle]
) -> None:
    source = bundle("second")
    source.model.write_bytes(source.model.read_bytes() + b"\0")
    assert "was altered" in refused(models, source.root)


def test_a_network_that_cannot_run_is_refused(
    models: InstalledModels, tmp_path: Path, tiny_manifest: Manifest
) -> None:
    broken = write_bundle(tmp_path / "broken", tiny_manifest, {"model.onnx": b"no network"})
    with pytest.raises(CannotRun):
        install(broken.root, models, RULES)
    assert list(models.folder.glob("*")) == []
    assert in_use(models) == "tiny"


def test_golden_images_must_have_their_scores(
    models: InstalledModels, bundle: Callable[..., Bundle]
) -> None:
    plain = bundle("plain")
    from brixia_edge.runtime.scorer import Scorer

    path = plain.root / "probe.png"
    path.write_bytes(drawn_radiograph())
    with Scorer(plain) as scorer:
        zones = {each.zone.value: each.score for each in scorer.score(path).score.zones}
    install(bundle("right", **golden(zones)).root, models, RULES)
    assert in_use(models) == "right"
    other = {**zones, "B": 3 - zones["B"]}
    told = refused(models, bundle("wrong", **golden(other)).root)
    assert f"B is {zones['B']}, not {other['B']}" in told


@pytest.mark.parametrize(
    ("contents", "told"),
    [
        ({GOLDEN: b"no JSON"}, "is damaged"),
        ({GOLDEN: b'{"../x.png": {}}'}, "manifest does not list"),
        (golden({"A": 0}), "each of the six zones"),
        (golden(dict.fromkeys("ABCDEF", 7)), "0 to 3"),
    ],
)
def test_damaged_golden_images_are_refused(
    models: InstalledModels, bundle: Callable[..., Bundle], contents: dict[str, bytes], told: str
) -> None:
    assert told in refused(models, bundle("second", **contents).root)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private key and its public one."""
    pytest.importorskip("model_signing", reason="the extra 'signing' is not installed")
    curves: Any = import_module("cryptography.hazmat.primitives.asymmetric.ec")
    forms: Any = import_module("cryptography.hazmat.primitives.serialization")
    key = curves.generate_private_key(curves.SECP256R1())
    private, public = tmp_path / "key.pem", tmp_path / "public.pem"
    plain = (forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    private.write_bytes(key.private_bytes(*plain))
    info = (forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
    public.write_bytes(key.public_key().public_bytes(*info))
    return private, public


def sign(bundle: Bundle, key: Path) -> None:
    signing: Any = import_module("model_signing.signing")
    hashing: Any = import_module("model_signing.hashing")
    signature = bundle.root / SIGNATURE
    covered = hashing.Config().set_ignored_paths(paths=[signature])
    signer = signing.Config().use_elliptic_key_signer(private_key=key)
    signer.set_hashing_config(covered).sign(bundle.root, signature)


def test_where_a_key_is_configured_its_signature_is_needed(
    models: InstalledModels, bundle: Callable[..., Bundle], keys: tuple[Path, Path], tmp_path: Path
) -> None:
    private, public = keys
    rules = replace(RULES, verification_key=public)
    assert "has no model.sig" in refused(models, bundle("unsigned").root, rules)
    signed = bundle("signed")
    (signed.root / "LICENCE").write_text("No file of the manifest's.")
    sign(signed, private)
    install(signed.root, models, rules)
    assert in_use(models) == "signed"
    # The signature of another bundle, and a file that is no key.
    other = bundle("other")
    shutil.copy(signed.root / SIGNATURE, other.root)
    assert "over its files" in refused(models, other.root, rules)
    no_key = tmp_path / "no-key.pem"
    no_key.write_text("no key")
    assert "is no public key" in refused(
        models, signed.root, replace(RULES, verification_key=no_key)
    )
