"""The gate on real files: chests pass in silence, what is none is named."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brixia_edge.calibration.chest_template import CHANGES, observe
from brixia_edge.runtime.quality.chest_template import shipped_template
from brixia_edge.runtime.scorer import Scorer

Shared = Callable[[str], Path]

SOME = 12
"""Every so-manieth of the annotated radiographs is judged in the slow run."""


@pytest.fixture(scope="module")
def scorer() -> Iterator[Scorer]:
    with Scorer() as opened:
        yield opened


@pytest.mark.parametrize(
    "name", ["presidio_0_ORIGINAL_RLE.dcm", "txrv_rsna_cr.dcm", "fodicom_CR-MONO1-10-chest.dcm"]
)
def test_a_real_chest_is_not_doubted(shared: Shared, scorer: Scorer, name: str) -> None:
    assert scorer.score(shared(f"dicom/{name}")).quality.ok


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fodicom_CR-ModalitySequenceLUT.dcm", "mentions TEETH"),
        ("highdicom_dx_image.dcm", "mentions CANINE"),
        ("pydicomdata_mlut_18.dcm", "The lungs found cover"),
        ("pydicomdata_vlut_04.dcm", "The lungs found cover"),
    ],
)
def test_what_is_no_human_chest_is_named(
    shared: Shared, scorer: Scorer, name: str, words: str
) -> None:
    quality = scorer.score(shared(f"dicom/{name}")).quality
    assert not quality.ok
    assert words in " ".join(quality.warnings)


@pytest.mark.slow
def test_spoilt_copies_of_real_chests_are_named(shared: Shared, scorer: Scorer) -> None:
    files = sorted(shared("cohen/images").iterdir())[::SOME]
    spec = scorer.bundle.manifest.preprocess
    observed = observe(scorer.source.prepared_many(files), scorer.session, spec)
    template = shipped_template()
    warned = {
        name: sum(bool(image.warnings(template)) for image in seen)
        for name, seen in observed.items()
    }
    assert warned.pop("as it is") <= 1
    assert set(warned) == set(CHANGES) - {"as it is"}
    assert all(caught >= len(files) - 2 for caught in warned.values()), warned
