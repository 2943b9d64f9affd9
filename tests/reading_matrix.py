"""Transfer syntax x photometric interpretation x bits: our picture against independent readers'.

Files are generated: pixels with noise, of odd sizes. DCMTK encodes run lengths, JPEG and JPEG-LS,
OpenJPEG JPEG 2000, OpenJPH high-throughput JPEG 2000. DCMTK's ``dcmj2pnm`` and ``dcml2pnm`` show
them; what DCMTK does not decode is decompressed by GDCM or OpenJPH first. Run as a program, this
prints the table.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import cv2
import numpy as np
from brixia_edge.runtime.errors import BrixiaEdgeError
from brixia_edge.runtime.reading.dicom.reader import radiograph_from_dicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.filereader import read_partial
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

ROWS, COLUMNS = 61, 47
_LUMINANCE = np.array((0.114, 0.587, 0.299))  # of blue, green, red
Pixels = NDArray[np.integer[Any]]
Command = tuple[str, ...]


class Absent(Exception):
    """A tool that a cell needs is not installed."""


@dataclass(frozen=True)
class Kind:
    """What the pixels are: photometric interpretation, bits stored, signed, windowed."""

    photometric: str
    bits: int
    signed: bool = False
    windowed: bool = True

    @property
    def name(self) -> str:
        sign = "s" if self.signed else "u"
        return f"{self.photometric} {self.bits}{sign}{'' if self.windowed else ' full'}"

    @property
    def colour(self) -> bool:
        return self.photometric in ("RGB", "YBR_FULL", "PALETTE COLOR")


KINDS = (
    Kind("MONOCHROME2", 8),
    Kind("MONOCHROME1", 8, windowed=False),
    Kind("MONOCHROME2", 8, signed=True),
    Kind("MONOCHROME1", 10),
    Kind("MONOCHROME2", 12, windowed=False),
    Kind("MONOCHROME1", 12, signed=True),
    Kind("MONOCHROME1", 16),
    Kind("MONOCHROME2", 16, signed=True),
    Kind("RGB", 8),
    Kind("YBR_FULL", 8),
    Kind("PALETTE COLOR", 8),
)


def make_pixels(kind: Kind) -> Pixels:
    """A smooth hill with noise over the whole range, its lowest and highest value included."""
    random = np.random.default_rng(kind.bits)
    y, x = np.linspace(-1, 1, ROWS)[:, np.newaxis], np.linspace(-1, 1, COLUMNS)
    noisy = np.exp(-2 * (x**2 + y**2)) + 0.02 * random.standard_normal((ROWS, COLUMNS))
    hill = np.asarray((noisy - noisy.min()) / (noisy.max() - noisy.min()), np.float64)
    lowest = -(2 ** (kind.bits - 1)) if kind.signed else 0
    values = np.asarray(np.round(hill * (2**kind.bits - 1)) + lowest, np.float64)
    return values.astype(f"{'i' if kind.signed else 'u'}{1 if kind.bits == 8 else 2}")


def native_dataset(kind: Kind) -> Dataset:
    """An uncompressed file of this kind."""
    pixels = make_pixels(kind)
    dataset = Dataset()
    dataset.SOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    dataset.SOPInstanceUID = UID("1.2.3.4")
    dataset.Modality, dataset.BodyPartExamined = "OT", "CHEST"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PhotometricInterpretation = kind.photometric
    dataset.BitsAllocated = pixels.itemsize * 8
    dataset.BitsStored, dataset.HighBit = kind.bits, kind.bits - 1
    dataset.PixelRepresentation = int(kind.signed)
    dataset.SamplesPerPixel = 1
    _describe_colour(dataset, kind)
    _add_window(dataset, kind)
    stored = _colour_pixels(pixels, kind).tobytes()
    dataset.PixelData = stored + b"\0" * (len(stored) % 2)
    dataset["PixelData"].VR = "OW" if pixels.itemsize == 2 else "OB"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def _describe_colour(dataset: Dataset, kind: Kind) -> None:
    if kind.photometric in ("RGB", "YBR_FULL"):
        dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
    if kind.photometric == "PALETTE COLOR":
        table = (np.arange(256)[::-1] * 257).astype("<u2").tobytes()
        for colour in ("Red", "Green", "Blue"):
            name = f"{colour}PaletteColorLookupTable"
            setattr(dataset, f"{name}Descriptor", [256, 0, 16])
            setattr(dataset, f"{name}Data", table)


def _colour_pixels(pixels: Pixels, kind: Kind) -> Pixels:
    if kind.photometric == "RGB":
        return np.repeat(pixels[..., np.newaxis], 3, axis=2)
    if kind.photometric == "YBR_FULL":
        return np.stack([pixels, np.full_like(pixels, 128), np.full_like(pixels, 128)], axis=2)
    return pixels


def _add_window(dataset: Dataset, kind: Kind) -> None:
    if kind.windowed and not kind.colour:
        middle = 0 if kind.signed else 2 ** (kind.bits - 1)
        dataset.WindowCenter = str(middle + 2 ** (kind.bits - 4))
        dataset.WindowWidth = str(2 ** (kind.bits - 1) + 2 ** (kind.bits - 3))


def written(dataset: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write a dataset as a file of a syntax that its Pixel Data are in."""
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.save_as(path, enforce_file_format=True)
    return path


def _as(syntax: str) -> Callable[[Kind, Path], Path]:
    """Store uncompressed in another syntax."""

    def make(kind: Kind, folder: Path) -> Path:
        dataset = native_dataset(kind)
        if syntax == ExplicitVRBigEndian and dataset.BitsAllocated == 16:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        return written(dataset, folder / "native.dcm", syntax)

    return make


def _by(*command: str) -> Callable[[Kind, Path], Path]:
    """Let a tool of DCMTK compress."""

    def make(kind: Kind, folder: Path) -> Path:
        source = written(native_dataset(kind), folder / "source.dcm")
        run(command, source, folder / "encoded.dcm")
        return folder / "encoded.dcm"

    return make


def _jpeg2000(syntax: str, **options: Any) -> Callable[[Kind, Path], Path]:
    def make(kind: Kind, folder: Path) -> Path:
        dataset = native_dataset(kind)
        dataset.compress(syntax, encoding_plugin="pylibjpeg", **options)
        return written(dataset, folder / "encoded.dcm", syntax)

    return make


def _openjph() -> Any:
    """The package with OpenJPH; not among the extras, since it is for this alone."""
    try:
        return import_module("imagecodecs")
    except ImportError as error:
        raise Absent("imagecodecs, for OpenJPH, is not installed") from error


def _high_throughput(kind: Kind, folder: Path) -> Path:
    openjph = _openjph()
    dataset = native_dataset(kind)
    pixels = _colour_pixels(make_pixels(kind), kind)
    frame = cast(bytes, openjph.htj2k_encode(pixels, reversible=True))
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    return written(dataset, folder / "encoded.dcm", HTJ2KLossless)


SYNTAXES: Mapping[str, Callable[[Kind, Path], Path]] = {
    "implicit little endian": _as(ImplicitVRLittleEndian),
    "explicit little endian": _as(ExplicitVRLittleEndian),
    "explicit big endian": _as(ExplicitVRBigEndian),
    "deflated": _as(DeflatedExplicitVRLittleEndian),
    "RLE": _by("dcmcrle"),
    "JPEG baseline": _by("dcmcjpeg", "+eb"),
    "JPEG extended 12": _by("dcmcjpeg", "+ee"),
    "JPEG lossless P14": _by("dcmcjpeg", "+el"),
    "JPEG lossless SV1": _by("dcmcjpeg", "+e1"),
    "JPEG-LS lossless": _by("dcmcjpls", "+el"),
    "JPEG-LS near": _by("dcmcjpls", "+en"),
    "JPEG 2000 lossless": _jpeg2000(JPEG2000Lossless),
    "JPEG 2000 lossy": _jpeg2000(JPEG2000, j2k_cr=[5]),
    "HTJ2K lossless": _high_throughput,
}


def run(command: Command, *paths: Path) -> None:
    """Run a tool on files.

    Raises
    ------
    Absent
        It is not installed.
    subprocess.CalledProcessError
        It failed.
    """
    if shutil.which(command[0]) is None:
        raise Absent(f"{command[0]} is not installed")
    subprocess.run([*command, *map(str, paths)], check=True, capture_output=True, timeout=60)


def shown_by_dcmtk(path: Path, folder: Path, window: int | None = None) -> NDArray[np.float64]:
    """What DCMTK shows, float64 ``[rows, columns]``, 0 to 1 in steps of 1/65535.

    Raises
    ------
    Absent
        A tool is not installed.
    """
    dataset = read_partial(BytesIO(path.read_bytes()))
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    if "JPEG 2000" in syntax.name:
        path = _decompressed(dataset, syntax, path, folder)
    tool = "dcml2pnm" if "JPEG-LS" in syntax.name else "dcmj2pnm"
    run((tool, "-q", "-O", "+on2", *_voi_options(dataset, window)), path, folder / "shown.png")
    shown = cv2.imread(str(folder / "shown.png"), cv2.IMREAD_UNCHANGED)
    assert shown is not None
    shades = shown.astype(np.float64) / (2 ** (8 * shown.itemsize) - 1)
    return shades if shades.ndim == 2 else np.asarray(shades @ _LUMINANCE, np.float64)


def _voi_options(dataset: Dataset, window: int | None) -> Command:
    if dataset.PhotometricInterpretation not in ("MONOCHROME1", "MONOCHROME2"):
        return ()
    if "VOILUTSequence" in dataset and window is None:
        return ("+Wl", "1")
    return ("+Wi", str(window or 1)) if "WindowCenter" in dataset else ("+Wm",)


def _decompressed(dataset: Dataset, syntax: UID, path: Path, folder: Path) -> Path:
    plain = folder / "decompressed.dcm"
    if syntax != HTJ2KLossless:
        run(("gdcmconv", "--raw"), path, plain)
        return plain
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    pixels = np.asarray(_openjph().htj2k_decode(frame)).tobytes()
    dataset.PixelData = pixels + b"\0" * (len(pixels) % 2)
    return written(dataset, plain)


def difference(syntax: str, kind: Kind) -> float:
    """The largest difference between our picture and DCMTK's, in grey levels of 255.

    Raises
    ------
    Absent
        A tool is not installed.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = SYNTAXES[syntax](kind, folder)
        ours = radiograph_from_dicom(path.read_bytes()).pixels
        return float(np.abs(ours - shown_by_dcmtk(path, folder)).max() * 255)


def _cell(syntax: str, kind: Kind) -> str:
    try:
        return f"{difference(syntax, kind):.3f}"
    except Absent:
        return "no tool"
    except subprocess.CalledProcessError as error:
        return f"({Path(error.cmd[0]).name})"
    except BrixiaEdgeError as error:
        return f"refused: {type(error).__name__}"
    except Exception as error:  # a table shows all of its cells
        return f"({type(error).__name__})"


def main() -> None:
    """Print the table: largest difference in grey levels of 255; (tool) where that tool refuses."""
    _print_row(["", *(kind.name for kind in KINDS)])
    _print_row(["---"] * (len(KINDS) + 1))
    for syntax in SYNTAXES:
        _print_row([syntax, *(_cell(syntax, kind) for kind in KINDS)])


def _print_row(cells: list[str]) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
