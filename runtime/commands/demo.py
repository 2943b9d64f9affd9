"""`brixia-edge demo`."""

import sys
from importlib.util import find_spec
from pathlib import Path

import click

from ..errors import MissingExtra, pip_line
from ..reports import REPORTS
from ..scorer import Scorer
from .options import PATH, overwrite_option
from .outputs import OutputFolders
from .writing import OutputRule

RADIOGRAPH = "RG1_UNCR.dcm"
"""A chest radiograph (CR, MONOCHROME1) that pydicom-data ships."""


@click.command()
@click.option(
    "--overlay",
    type=PATH,
    help="Write a picture of the score into this folder.",
)
@overwrite_option("a picture of an earlier run")
def demo(overlay: Path | None, overwrite: bool) -> None:
    """Score a real chest radiograph with the model that ships with the package.

    RESEARCH USE ONLY - not for diagnostic use.
    """
    path = demo_radiograph()
    outputs = OutputFolders({"--overlay": overlay}, OutputRule([path], overwrite))
    with Scorer() as scorer:
        result = scorer.score(path)
    REPORTS["text"](sys.stdout).add(result, outputs.write(result).paths)


def demo_radiograph() -> Path:
    """Where pydicom-data keeps the demo's radiograph.

    Raises
    ------
    MissingExtra
        pydicom-data is not installed.
    """
    package = find_spec("data_store")
    folders = list(package.submodule_search_locations or []) if package else []
    for folder in folders:
        path = Path(folder) / "data" / RADIOGRAPH
        if path.is_file():
            return path
    raise MissingExtra.of("the demo's radiograph", "pydicom-data", pip_line("demo"))
