"""Makes the template that tells how an image lies, and measures the frontal chest gate with it.

``python -m brixia_edge.calibration.chest_template IMAGES`` takes a folder of upright frontal chest
radiographs, puts each through the network as it is and changed in six ways, and prints how many of
each are warned of: once with templates that never saw the image (cross-validation, files whose
names begin alike kept together), once with the template that ships. ``-o FILE`` writes a template
made from all of them; ``runtime/quality/chest_template.json`` was made so from 138 radiographs of
Cohen's public collection (those that the BrixIA project annotated, without its test split).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from ..runtime.backends import open_session
from ..runtime.backends.base import Session
from ..runtime.bundles.bundle import Bundle
from ..runtime.cli import run_alone
from ..runtime.commands.inputs import reading_mode
from ..runtime.commands.options import (
    FOLDER,
    backend_option,
    bundle_option,
    isolate_option,
    output_option,
    overwrite_option,
)
from ..runtime.commands.progress import show_progress
from ..runtime.commands.terminal import show
from ..runtime.commands.writing import OutputRule
from ..runtime.contract import SCORE_OUTPUTS
from ..runtime.errors import MissingExtra, pip_line
from ..runtime.files import write_file
from ..runtime.preparation.preprocess import PreprocessSpec, preprocess
from ..runtime.quality.chest_template import (
    PLACEMENTS,
    ChestTemplate,
    Placement,
    chest_patch,
    measure_placement,
    reduce_image,
    shipped_template,
)
from ..runtime.quality.measures import QualityMeasures, measure_quality
from ..runtime.quality.quality import judge
from ..runtime.radiograph import Radiograph
from ..runtime.results import Prediction, UnscoredFile
from ..runtime.sources.isolated import open_source
from ..runtime.sources.source import PreparedRadiograph

FOLDS = 10
_ALIKE = 20  # letters of a file name: "covid-19-pneumonia-58-day-9" and "...-prior" are one patient
_COPIES = 2  # moved a little, beside the one as it is: a template must not hang on the frame
_MOVED = 0.05  # standard deviation of each movement; see `chest_patch`
_RIDGE = 0.03  # of 0.001, 0.003, 0.01 and 0.03 the best by cross-validation
_FLAT = 1e-6  # slope at which the fit ends
_MOST_STEPS = 1000

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Change:
    """A way of spoiling a radiograph: what is done to its pixels, and what undoes it."""

    turn: Callable[[NDArray[np.unsignedinteger]], NDArray[np.unsignedinteger]]
    undo: Placement
    negative: bool = False

    def of(self, radiograph: Radiograph) -> Radiograph:
        """Spoil a radiograph."""
        shades = 1.0 - radiograph.shades if self.negative else radiograph.shades
        codes = np.ascontiguousarray(self.turn(radiograph.codes))
        return replace(radiograph, codes=codes, shades=shades)


CHANGES: Mapping[str, Change] = {
    "as it is": Change(lambda codes: codes, Placement()),
    "turned 90": Change(lambda codes: np.rot90(codes, 3), Placement(quarter_turns=1)),
    "turned 180": Change(lambda codes: np.rot90(codes, 2), Placement(quarter_turns=2)),
    "turned 270": Change(lambda codes: np.rot90(codes, 1), Placement(quarter_turns=3)),
    "mirrored": Change(lambda codes: codes[:, ::-1], Placement(mirrored=True)),
    "upside down": Change(lambda codes: codes[::-1], Placement(quarter_turns=2, mirrored=True)),
    "inverted": Change(lambda codes: codes, Placement(negative=True), negative=True),
}
"""By name; turned clockwise, in degrees. Upside down is flipped top for bottom."""


@dataclass(frozen=True)
class Observation:
    """One radiograph after one change, and what the network made of it.

    Attributes
    ----------
    file
        The file's name.
    image, mask
        float32 ``[128, 128]``: the network's input and lung mask, shrunk.
    measures
        All that its quality is judged by; the placement with the shipped template.
    """

    file: str
    image: Array
    mask: Array
    measures: QualityMeasures

    def warnings(self, template: ChestTemplate) -> tuple[str, ...]:
        """Give what the gate says with another template."""
        placement = measure_placement(self.image, self.mask, template)
        return judge(replace(self.measures, placement=placement))


Observations = Mapping[str, Sequence[Observation]]
"""For each of `CHANGES`, the same files in the same order."""


def observe(
    read: Iterable[PreparedRadiograph | UnscoredFile], session: Session, spec: PreprocessSpec
) -> dict[str, list[Observation]]:
    """Put every radiograph through the network, as it is and changed.

    Raises
    ------
    UnreadableImage, UnsupportedImage, ImageTooLarge
        One could not be read.
    """
    observed: dict[str, list[Observation]] = {name: [] for name in CHANGES}
    for outcome in read:
        if isinstance(outcome, UnscoredFile):
            raise outcome.error
        for name, change in CHANGES.items():
            seen = _observe_one(change.of(outcome.radiograph), session, spec)
            observed[name].append(replace(seen, file=outcome.file.name))
    return observed


def _observe_one(radiograph: Radiograph, session: Session, spec: PreprocessSpec) -> Observation:
    image = preprocess(radiograph, spec)
    prediction = Prediction.of(session.run(image, SCORE_OUTPUTS))
    measures = measure_quality(radiograph, image, prediction)
    return Observation("", reduce_image(image[0, 0]), reduce_image(prediction.lung_mask), measures)


def make_template(observed: Observations) -> ChestTemplate:
    """Fit the weights: the placement that undoes each change shall fit best.

    Raises
    ------
    MissingExtra
        The package scikit-learn is not installed.
    """
    rng = np.random.default_rng(0)
    upright = [
        change.undo.lay(patch)
        for name, change in CHANGES.items()
        for seen in observed[name]
        for patch in _patches(seen, rng)
    ]
    lungs = np.mean(
        [chest_patch(seen.image, seen.mask)[1] for seen in observed["as it is"]], axis=0
    )
    return ChestTemplate(_fit_weights(np.stack(upright)), np.asarray(lungs, np.float32))


def _patches(seen: Observation, rng: np.random.Generator) -> list[Array]:
    moves = [(0.0,) * 5, *(tuple(rng.normal(0, _MOVED, 5).tolist()) for _ in range(_COPIES))]
    return [chest_patch(seen.image, seen.mask, move) for move in moves]


def _fit_weights(upright: Array) -> Array:
    """Fit one template for all placements, by logistic regression of how a patch was laid.

    Every upright patch is laid in all placements, so that the classes differ by nothing but their
    placement. The loss is strictly convex and so has one minimum; as laying permutes the classes,
    it is the one at which the weights of each are those of the first, laid likewise.
    """
    scale = float(np.sqrt(np.mean(upright**2)))
    laid = np.concatenate([placement.lay(upright) for placement in PLACEMENTS])
    placed = np.repeat(np.arange(len(PLACEMENTS)), len(upright))
    model = _logistic_regression()(
        C=1 / (_RIDGE * len(upright)), fit_intercept=False, tol=_FLAT, max_iter=_MOST_STEPS
    )
    model.fit(laid.reshape(len(laid), -1).astype(np.float64) / scale, placed)
    weights: Array = (model.coef_[0] / scale).reshape(upright.shape[1:]).astype(np.float32)
    return weights


def _logistic_regression() -> Any:
    try:
        return import_module("sklearn.linear_model").LogisticRegression
    except ModuleNotFoundError as error:
        raise MissingExtra.of("making a template", "scikit-learn", pip_line("report")) from error


def cross_validate(observed: Observations) -> dict[str, list[tuple[str, ...]]]:
    """Give each image's warnings, with a template made without it and all files named alike."""
    names = [seen.file[:_ALIKE].lower() for seen in observed["as it is"]]
    patients, patient_of = np.unique(names, return_inverse=True)
    fold_of = (np.random.default_rng(0).permutation(len(patients)) % FOLDS)[patient_of]
    warnings: dict[str, list[tuple[str, ...]]] = {name: [()] * len(names) for name in CHANGES}
    for fold in range(FOLDS):
        train, test = _indices(fold_of != fold), _indices(fold_of == fold)
        template = make_template(
            {name: [seen[i] for i in train] for name, seen in observed.items()}
        )
        for name, seen in observed.items():
            for index in test:
                warnings[name][index] = seen[index].warnings(template)
    return warnings


def _indices(chosen: NDArray[np.bool_]) -> list[int]:
    return np.flatnonzero(chosen).tolist()


def rates(warnings: Mapping[str, Sequence[tuple[str, ...]]]) -> str:
    """Lay out how many images of each change were warned of."""
    lines = [f"{'change':<16}{'warned':>8}{'of':>6}{'share':>9}"]
    spoilt = [told for name, each in warnings.items() if name != "as it is" for told in each]
    for name, each in [*warnings.items(), ("all changed", spoilt)]:
        warned = sum(map(bool, each))
        lines.append(f"{name:<16}{warned:>8}{len(each):>6}{warned / len(each):>9.1%}")
    return "\n".join(lines)


def template_json(template: ChestTemplate, images: int, model: str) -> str:
    """Give a template as JSON, with the sha256 of the network's weights it was made with."""
    stored = {
        "made_by": "python -m brixia_edge.calibration.chest_template",
        "images": images,
        "model_sha256": model,
        "weights": np.round(template.weights, 3).tolist(),
        "lungs": np.round(template.lungs, 3).tolist(),
    }
    return json.dumps(stored, separators=(",", ":")) + "\n"


@click.command()
@click.argument("images", type=FOLDER)
@output_option("Write the template here.", required=False)
@bundle_option()
@backend_option
@isolate_option
@overwrite_option("a template that exists")
def main(  # noqa: PLR0913, PLR0917 - one for each option
    images: Path,
    output: Path | None,
    bundle: Path | None,
    backend: str,
    isolate: bool | None,
    overwrite: bool,
) -> None:
    """Measure the frontal chest gate on a folder of upright chest radiographs."""
    files = sorted(path for path in images.iterdir() if path.is_file())
    opened = Bundle.open(bundle)
    if output:
        OutputRule([*files, *opened.paths], overwrite).check(output)
    session = open_session(opened, backend)
    spec = opened.manifest.preprocess
    with closing(open_source(spec, reading_mode(isolate, [str(images)], files))) as source:
        read = show_progress("Looking through", source.prepared_many(files), len(files))
        observed = observe(read, session, spec)
    session.close()
    show([f"Cross-validated in {FOLDS} folds:", *rates(cross_validate(observed)).splitlines()])
    shipped = {
        name: [image.warnings(shipped_template()) for image in seen]
        for name, seen in observed.items()
    }
    show(
        ["", "The shipped template (fitted to its own radiographs):", *rates(shipped).splitlines()]
    )
    if output:
        template = make_template(observed)
        made = template_json(template, len(files), opened.manifest.weights_sha256)
        write_file(output, made.encode(), overwrite)


if __name__ == "__main__":
    run_alone(main, "python -m brixia_edge.calibration.chest_template")
