"""The contestants of the peers' run: the plain graph, other tools' INT8, and our bundles."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...calibration.ranges.table import calibrated_images
from ...runtime.bundles.bundle import Bundle
from ...runtime.errors import BenchmarkError, MissingExtra, WeightsError, pip_line
from ...runtime.sources.isolated import ISOLATED
from ..agreement.contestants import Contestant, pair
from ..agreement.radiographs import find_radiographs, prepare_radiographs, split_by_digest
from .quantized import make_nncf, make_static

Tell = Callable[[str], None]

BACKENDS = ("onnxruntime", "openvino")


@dataclass(frozen=True)
class PeerBundle(Bundle):
    """Another tool's network, to be run by our own sessions as a bundle is.

    Attributes
    ----------
    network
        An ONNX file or OpenVINO IR with the contract of a bundle's network.
    """

    network: Path

    @property
    def model(self) -> Path:
        """The network."""
        return self.network


@dataclass(frozen=True)
class Peers:
    """Who takes part, on which images.

    Attributes
    ----------
    contestants
        The plain graph on ONNX Runtime first: it is the reference of scores and speed.
    absent
        Peers that cannot take part, with the reason.
    calibrated
        How many images INT8 was calibrated on, by ours and the other tools alike.
    held_out
        The other radiographs of the folder.
    """

    contestants: tuple[Contestant, ...]
    absent: Mapping[str, str]
    calibrated: int
    held_out: tuple[Path, ...]


def gather_peers(
    weights: Path,
    bundles: Sequence[Bundle],
    images: Path,
    models: Path,
    tell: Tell,
) -> Peers:
    """Make the other tools' networks and put all contestants together.

    Parameters
    ----------
    weights
        The Keras file that the bundles were exported from.
    bundles
        Ours, of any precisions; the INT8 one says which images to calibrate on.
    images
        A folder with the radiographs that it was calibrated on, and others.
    models
        Where the other tools' networks are kept: to make them takes minutes.
    tell
        Is told what is being made.

    Raises
    ------
    WeightsError
        The plain graph cannot be made of the weights.
    BenchmarkError
        There is no INT8 bundle, or the folder has not the images it was calibrated on.
    """
    table = _calibration(bundles)
    calibration, held_out = split_by_digest(find_radiographs([images]), table)
    if not calibration or not held_out:
        raise BenchmarkError(
            f"{images} holds {len(calibration)} of the {len(table)} radiographs that INT8 was "
            f"calibrated on and {len(held_out)} others; give the folder it was calibrated from"
        )
    models.mkdir(parents=True, exist_ok=True)
    plain = make_plain(weights, models / "plain.onnx")
    spec = bundles[0].manifest.preprocess
    prepared = [each.image for each in prepare_radiographs(calibration, spec, ISOLATED)]
    contestants = [*_plain(plain, bundles[0])]
    absent: dict[str, str] = {}
    for name, backend, make in _TOOLS:
        tell(f"making (or finding) {name}")
        try:
            network = make(plain, prepared, models)
            contestants.append(_peer(name, network, bundles[0], "int8", backend))
        except MissingExtra as error:
            absent[name] = str(error)
    contestants += pair(bundles, BACKENDS)
    return Peers(tuple(contestants), absent, len(prepared), tuple(held_out))


def make_plain(weights: Path, output: Path) -> Path:
    """Write the network as the original defines it, with nothing rewritten.

    Raises
    ------
    WeightsError
        The exporter refuses the weights.
    MissingExtra
        What the exporter needs is not installed.
    """
    try:
        from ...export.network.plain_graph import write_plain_graph
    except ModuleNotFoundError as error:
        raise MissingExtra.of("the plain graph", str(error.name), pip_line("peers")) from error
    try:
        write_plain_graph(weights, output)
    except WeightsError as error:
        raise WeightsError(f"no plain graph can be made of {weights}: {error}") from error
    return output


_TOOLS = (
    ("quantize_static INT8, onnxruntime", "onnxruntime", make_static),
    ("NNCF INT8, openvino", "openvino", make_nncf),
)


def _calibration(bundles: Sequence[Bundle]) -> frozenset[str]:
    digests = [calibrated_images(each) for each in bundles if each.manifest.precision == "int8"]
    if not digests:
        raise BenchmarkError(
            "no bundle is INT8; give one, for the images that it was calibrated on"
        )
    return digests[0]


def _plain(network: Path, ours: Bundle) -> Iterator[Contestant]:
    for backend in BACKENDS:
        yield _peer(f"plain export fp32, {backend}", network, ours, "fp32", backend)


def _peer(name: str, network: Path, ours: Bundle, precision: str, backend: str) -> Contestant:
    told = replace(ours.manifest, name=name, precision=precision, exact_weights_sha256=None)
    manifest = replace(told, files={}, engines=())
    return Contestant(name, PeerBundle(network.parent, manifest, network), backend)
