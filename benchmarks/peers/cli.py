"""`brixia-edge benchmark peers`."""

from pathlib import Path

import click

from ...runtime.commands.options import FILE, FOLDER, PATH, bundles_option, format_option
from ...runtime.commands.progress import show_progress
from ...runtime.commands.terminal import show, show_json, tell
from ...runtime.results import RESEARCH_USE
from ...runtime.sources.isolated import ISOLATED
from ..agreement.measure import measure_agreement
from ..agreement.summary import summarise_agreement, to_dict
from ..agreement.tables import agreement_table
from ..options import open_bundles
from ..tables import text_table
from .contestants import gather_peers


@click.command()
@click.option(
    "--weights",
    type=FILE,
    required=True,
    help="Keras HDF5 that the bundles were exported from.",
)
@click.option(
    "--images", type=FOLDER, required=True, help="The radiographs INT8 was calibrated on, and more."
)
@bundles_option("Ours; give it several times, one of them INT8.")
@click.option(
    "--models",
    type=PATH,
    required=True,
    help="Folder in which the peers' networks are kept; to make them takes minutes.",
)
@format_option(("text", "json"))
def peers(
    weights: Path,
    images: Path,
    bundles: tuple[Path, ...],
    models: Path,
    form: str,
) -> None:
    """Run other tools' networks of the same weights and ours in turns: speed and scores.

    Needs further packages: pip install 'brixia-edge[peers]'.
    """
    found = gather_peers(weights, open_bundles(bundles), images, models, tell)
    for name, reason in found.absent.items():
        tell(f"{name} is absent: {reason}")
    agreement = measure_agreement(
        found.contestants, found.held_out, progress=show_progress, reading=ISOLATED
    )
    if form == "json":
        show_json({**to_dict(agreement), "absent": dict(found.absent)})
        return
    show(
        [
            f"{len(agreement.files)} radiographs; the first row is the reference",
            *agreement_table(summarise_agreement(agreement), text_table),
            RESEARCH_USE,
        ]
    )
