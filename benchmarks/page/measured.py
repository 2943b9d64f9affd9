"""What stands in each measured section of docs/performance.md."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ...runtime.backends import AUTO
from ...runtime.bundles.bundle import Bundle
from ...runtime.inspection.machine import examine
from ...runtime.results import RESEARCH_USE
from ...runtime.sources.isolated import ISOLATED
from ..agreement.measure import measure_agreement
from ..agreement.radiographs import prepare_radiographs
from ..agreement.summary import summarise_agreement
from ..agreement.tables import agreement_table
from ..latency.benchmark import Plan, run_benchmark
from ..latency.measurement import Extent
from ..latency.sample_image import sample_image
from ..latency.subject import describe_machine
from ..latency.text_report import report_lines
from ..peers.contestants import gather_peers
from ..roofline.measure import measure_roofline
from ..roofline.tables import roofline_lines
from ..scaling.files import measure_files
from ..scaling.tables import files_table, load_table
from ..scaling.workers import ScalingRow, loads, measure_load
from ..tables import markdown_table

Tell = Callable[[str], None]


@dataclass(frozen=True)
class PageInputs:
    """What the page is made from.

    Attributes
    ----------
    weights
        The Keras file of the trained network.
    images
        Radiographs: those that INT8 was calibrated on, and others.
    bundles
        Exported from the weights, the float32 one first; one is INT8.
    models
        Where the peers' networks are kept.
    file_counts
        How many files are scored for the section on files.
    tell
        Is told what is going on.
    """

    weights: Path
    images: Path
    bundles: tuple[Bundle, ...]
    models: Path
    file_counts: tuple[int, ...]
    tell: Tell

    @property
    def fastest(self) -> Bundle:
        """The INT8 bundle, or the last."""
        return next((b for b in self.bundles if b.manifest.precision == "int8"), self.bundles[-1])

    @property
    def ends(self) -> tuple[Bundle, ...]:
        """The float32 and the INT8 bundle."""
        first, fastest = self.bundles[0], self.fastest
        return (first,) if fastest is first else (first, fastest)


def _machine(_: PageInputs) -> Iterator[str]:
    machine = describe_machine(gpu=False)
    processor = next(each.detail for each in examine() if each.subject == "processor")
    made = datetime.now(timezone.utc).date().isoformat()
    rows = [
        ["processor", machine.processor],
        ["cores and instructions", processor],
        ["system", machine.system],
        *([name, release] for name, release in machine.versions.items()),
        ["measured on", made],
    ]
    yield from markdown_table(("machine", ""), rows)


def _stages(inputs: PageInputs) -> Iterator[str]:
    with sample_image() as image:
        for bundle in inputs.ends:
            plan = Plan(bundle, AUTO, image, extent=Extent(), cold_starts=3)
            yield "```text"
            yield from report_lines(run_benchmark(plan, inputs.tell))
            yield "```"
            yield ""


def _floor(inputs: PageInputs) -> Iterator[str]:
    with sample_image() as sample:
        for bundle in inputs.ends:
            spec = bundle.manifest.preprocess
            image = next(prepare_radiographs([sample.path], spec)).image
            for backend in ("openvino", "onnxruntime"):
                inputs.tell(f"floor of {bundle.identity.kind} on {backend}")
                roofline = measure_roofline(bundle, backend, image)
                yield f"### {bundle.identity.kind} on {backend}"
                yield ""
                yield from roofline_lines(roofline, markdown_table)
                yield ""


def _peers(inputs: PageInputs) -> Iterator[str]:
    found = gather_peers(inputs.weights, inputs.bundles, inputs.images, inputs.models, inputs.tell)
    inputs.tell(f"{len(found.contestants)} networks in turns over {len(found.held_out)} images")
    agreement = measure_agreement(found.contestants, found.held_out, reading=ISOLATED)
    yield (
        f"{len(agreement.files)} radiographs that no calibration used, one image at a time, all "
        f"networks in turns on each. INT8, ours and the others', was calibrated on the same "
        f"{found.calibrated} radiographs. Reference of speed and scores: the first row. "
        f"{RESEARCH_USE}."
    )
    yield ""
    yield from agreement_table(summarise_agreement(agreement), markdown_table)
    for name, reason in found.absent.items():
        yield ""
        yield f"Absent: {name}: {reason}"
    yield ""
    yield "Absent: PyTorch eager: there is no PyTorch build of this network here."


def _scaling(inputs: PageInputs) -> Iterator[str]:
    bundle = inputs.fastest
    with sample_image() as image:
        rows: list[ScalingRow] = []
        for load in loads(bundle):
            inputs.tell(f"scaling: {load}")
            rows.append(measure_load(bundle, AUTO, image.path, load))
    yield f"{bundle.identity.kind}, end to end from a DICOM file:"
    yield ""
    yield from load_table(rows, markdown_table)


def _files(inputs: PageInputs) -> Iterator[str]:
    rows = measure_files(inputs.file_counts, inputs.tell)
    yield from files_table(rows, markdown_table)


SECTIONS: Mapping[str, Callable[[PageInputs], Iterator[str]]] = {
    "machine": _machine,
    "stages": _stages,
    "floor": _floor,
    "peers": _peers,
    "scaling": _scaling,
    "files": _files,
}
"""Each section and what measures it, in the order of the page."""


def measure_sections(inputs: PageInputs, names: Sequence[str]) -> dict[str, list[str]]:
    """Measure the named sections, one after the other.

    Raises
    ------
    BrixiaEdgeError
        As the parts: something cannot run, or an input does not fit.
    """
    return {name: list(SECTIONS[name](inputs)) for name in names}
