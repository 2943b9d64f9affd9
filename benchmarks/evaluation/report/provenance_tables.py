"""What was evaluated, with what, and what was left out, as tables."""

from collections.abc import Iterator, Mapping

from ..results import Case, EvaluatedBundle, Evaluation
from .table import Table


def bundle_table(evaluation: Evaluation) -> Table:
    """The bundles, one in a column."""
    bundles = evaluation.bundles
    rows = (
        ("name", *(bundle.name for bundle in bundles)),
        ("precision", *(bundle.kind for bundle in bundles)),
        ("backend", *(bundle.backend for bundle in bundles)),
        ("network", *(bundle.variant for bundle in bundles)),
        ("preparation", *(_entries(bundle.preprocess) for bundle in bundles)),
        ("size of model.onnx", *(f"{bundle.model_bytes / 1e6:.1f} MB" for bundle in bundles)),
        ("sha256 of model.onnx", *(bundle.model_sha256 for bundle in bundles)),
        ("sha256 of the weights", *(_weights(bundle) for bundle in bundles)),
        ("built with", *(_entries(bundle.built_with) for bundle in bundles)),
        ("licence", *(bundle.licence for bundle in bundles)),
        ("intended use", *(bundle.intended_use for bundle in bundles)),
        ("scores with a warning", *(str(bundle.doubtful) for bundle in bundles)),
        ("drift", *(_drift(bundle) for bundle in bundles)),
        ("evaluated images that calibration used", *(str(bundle.calibrated) for bundle in bundles)),
    )
    return Table("The bundles.", ("", *(bundle.label for bundle in bundles)), rows)


def _weights(bundle: EvaluatedBundle) -> str:
    exact = bundle.exact_weights_sha256
    return bundle.weights_sha256 + ("" if exact is None else f", learned from {exact}")


def _drift(bundle: EvaluatedBundle) -> str:
    if bundle.drift is None:
        return "not told: no reference histograms, or too few images"
    return str(bundle.drift["sentence"]).removeprefix("Drift: ")


def _entries(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def data_table(evaluation: Evaluation) -> Table:
    """Images, annotations and settings."""
    images, settings = evaluation.image_set, evaluation.settings
    annotations = [
        (
            f"annotations {file.name}",
            f"{file.form}, {file.rows} rows, {len(file.rejected)} of them not used; "
            f"sha256 {file.sha256}",
        )
        for file in evaluation.annotations
    ]
    patients = "" if images.patients is None else f", of {images.patients} patients"
    rows = (
        ("images", f"{images.evaluated} evaluated of {images.found} found{patients}"),
        ("sha256 of the images", images.sha256),
        *annotations,
        (
            "intervals",
            f"{settings.confidence:.0%}, {settings.resamples} bootstrap resamples of "
            f"{settings.resampled}, seed {settings.seed}",
        ),
        ("made at", evaluation.circumstances.created),
    )
    return Table("The data and how they were evaluated.", ("", "value"), rows)


def left_out_table(evaluation: Evaluation) -> Table:
    """Images and rows that were left out or doubted, each with its reason."""
    return Table("What was left out or doubted.", ("what", "reason"), tuple(_left_out(evaluation)))


def _left_out(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    images = evaluation.image_set
    for item in images.unscored:
        yield item.file, f"{item.type}: {item.message}"
    for name in images.without_annotation:
        yield name, "no row of the annotations is about it"
    for entry in images.without_image:
        yield entry.file, f"annotated, but {entry.reason}"
    for file in evaluation.annotations:
        yield from ((file.name, reason) for reason in (*file.rejected, *file.warnings))


def machine_table(evaluation: Evaluation) -> Table:
    """The machine and the versions, as `brixia-edge doctor` tells them."""
    circumstances = evaluation.circumstances
    found = ((item.subject, f"{item.verdict}: {item.detail}") for item in circumstances.machine)
    versions = ((f"version of {name}", number) for name, number in circumstances.versions.items())
    return Table("The machine and the software.", ("", "value"), (*versions, *found))


def case_table(bundle: EvaluatedBundle, cases: tuple[Case, ...], which: str) -> Table:
    """The best or worst cases of a bundle."""
    return Table(
        f"{which} cases of {bundle.label}.",
        ("file", "radiologist", "score", "global error", "zone errors", "warnings"),
        tuple(
            (
                case.file,
                zones_told(case.reference),
                zones_told(case.score),
                f"{case.global_error:g}",
                f"{case.zone_error:g}",
                " ".join(case.warnings) or "-",
            )
            for case in cases
        ),
    )


def zones_told(scores: tuple[float, ...]) -> str:
    """Zone scores and their sum: ``1 2 1 | 0 1 0 = 5``, the right lung first."""
    told = [f"{score:g}" for score in scores]
    return f"{' '.join(told[:3])} | {' '.join(told[3:])} = {sum(scores):g}"
