"""`brixia-edge node`: the commands of the device between X-ray machine and PACS."""

import importlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..errors import BundleError, ConfigurationError
from .options import overwrite_option
from .statuses import UNSCORED
from .stopping import told_to_end
from .terminal import show, tell
from .writing import OutputRule, output_file

_PATH = click.Path(path_type=Path)
_NODE = "brixia_edge.runtime.node"

config_option = click.option(
    "--config",
    type=_PATH,
    default=Path("node.toml"),
    show_default=True,
    help="The node's configuration.",
)


def _of(module: str, name: str) -> Any:
    """A name of the node, imported on use: `--help` must need nothing of the extra."""
    return getattr(importlib.import_module(f"{_NODE}.{module}"), name)


def _configuration(path: Path) -> Any:
    credentials = importlib.import_module(f"{_NODE}.credentials")
    loaded = _of("configuration", "load_configuration")(path)
    return credentials.with_credentials(loaded, os.environ.get(credentials.DIRECTORY, ""))


@click.group()
def node() -> None:
    """Receive radiographs from modalities, score them, and answer the archive.

    RESEARCH USE ONLY - not for diagnostic use.
    """


@node.command()
@click.argument("output", type=_PATH, default=Path("node.toml"))
@overwrite_option("a file that exists")
def init(output: Path, overwrite: bool) -> None:
    """Write a commented configuration."""
    text = _of("operating.template", "commented_toml")()
    with output_file(output, OutputRule((), overwrite)) as file:
        file.write(text.encode())
    tell(f"Wrote {output}; name your modalities and archives in it")


@node.command()
@config_option
def check(config: Path) -> int:
    """Tell whether the node could run; changes nothing.

    Exit status 1 when something stands in the way.
    """
    ok = True
    for found in _of("operating.check", "check")(_configuration(config)):
        show([f"{'ok' if found.ok else 'FAILED':<8}{found.subject:<24}{found.detail}"])
        ok = ok and found.ok
    return 0 if ok else UNSCORED


@node.command()
@config_option
def run(config: Path) -> None:
    """Run the node until SIGTERM or Ctrl-C; the image at hand is finished."""
    # Images and answers are patients' data.
    os.umask(0o077)
    configuration = _configuration(config)
    _of("operating.logs", "start_logging")()
    _of("operating.memory", "give_back_large_blocks")()
    running = _of("operating.node", "Node")(configuration)
    with told_to_end() as wait:
        running.start()
        wait()
        running.stop()


@node.command()
@config_option
def status(config: Path) -> int:
    """Tell what the node has received, scored and sent, and what needs a person.

    Exit status 1 where answers are parked or have no destination any more, images failed, or the
    bundle in use is damaged.
    """
    destinations = [each.name for each in _configuration(config).destinations]
    with _models(config) as models:
        counts, agreement = models.store.views.counts(), models.store.views.agreement()
        sound, drift = _drift(models)
    for state, count in sorted(counts.instances.items()):
        show([f"images    {state:<14}{count:>8}"])
    for name, states in sorted(counts.deliveries.items()):
        for state, count in sorted(states.items()):
            show([f"answers   {state:<14}{count:>8}  to {name}"])
    show([f"repeated  {'':<14}{counts.repeats:>8}"])
    if agreement.images:
        show([_agreement(agreement)])
    if drift:
        show([drift])
    stranded = counts.stranded(destinations)
    for name, count in stranded.items():
        tell(_of("web.views", "stranded_sentence")(name, count))
    parked = any("parked" in states for states in counts.deliveries.values())
    failed = counts.instances.get("failed")
    return UNSCORED if parked or stranded or failed or not sound else 0


def _drift(models: Any) -> tuple[bool, str]:
    """Whether the bundle in use can be opened, and what is to be said of it or its drift."""
    try:
        report = _of("models.drift", "drift_of")(models.store.views, _bundle(models.current()))
    except BundleError as error:
        return False, f"bundle    damaged: {error}"
    return True, "" if report is None else f"drift     {report.sentence()}"


def _agreement(found: Any) -> str:
    return (
        f"shadow    latest {found.images} images: {found.zones_equal:.1%} of the zones equal, "
        f"global score differs by {found.mean_difference:.2f} on average, "
        f"{found.largest_difference} at most"
    )


@node.command()
@config_option
@click.argument("destination", required=False)
def retry(config: Path, destination: str | None) -> None:
    """Send parked answers again, all or those of one destination."""
    with _store(config) as store:
        show([f"{store.outbox.retry_parked(destination)} answers are sent again"])


@node.command()
@config_option
@click.argument("destination")
def drop(config: Path, destination: str) -> None:
    """Give up the answers to a destination that the configuration names no more."""
    if destination in [each.name for each in _configuration(config).destinations]:
        raise ConfigurationError(
            f"{config} names the destination {destination!r}, and its answers are being sent; take "
            "it out of the configuration and start the node anew before you drop them"
        )
    with _store(config) as store:
        show([f"{store.outbox.drop(destination)} answers are given up"])


@node.command()
@config_option
@click.argument("sop_instance_uid", required=False)
def requeue(config: Path, sop_instance_uid: str | None) -> None:
    """Score failed images again, all or one; or one in conflict whose others were discarded."""
    with _store(config) as store:
        show([f"{store.inbox.requeue(sop_instance_uid)} images are scored again"])


@node.command()
@config_option
@click.argument("sop_instance_uid")
def discard(config: Path, sop_instance_uid: str) -> None:
    """Give up a failed image, or one in conflict where none of its UID failed."""
    with _store(config) as store:
        show([f"{store.inbox.discard(sop_instance_uid)} images are discarded"])


@node.command()
@config_option
@click.argument("output", type=_PATH)
def backup(config: Path, output: Path) -> None:
    """Copy the database while the node runs."""
    if output.exists():
        raise click.BadParameter(f"{output} exists; name another file", param_hint="OUTPUT")
    with _store(config) as store:
        store.backup(output)
    tell(f"Wrote {output}")


@node.group()
def model() -> None:
    """Change the model that answers, without risk."""


@model.command()
@config_option
@click.argument("bundle", type=_PATH)
def install(config: Path, bundle: Path) -> None:
    """Use another bundle from now on; a running node does so with its next image.

    The bundle is copied, its digests and its signature (where [score] names a verification_key) are
    verified, and its golden images are scored. If anything fails, nothing changes.
    """
    configuration = _configuration(config)
    score = configuration.score
    settings = _of("scoring.process", "ScoringSettings")(None, score.backend, score.threads)
    rules = _of("models.install", "InstallationRules")(settings, score.verification_key)
    with _models(config) as models:
        found = _of("models.install", "install")(bundle, models, rules)
    tell(f"Installed {_told(found)}; `node model rollback` takes it back")


@model.command()
@config_option
def rollback(config: Path) -> None:
    """Use the bundle again that was used before this one."""
    with _models(config) as models:
        models.roll_back()
        path = models.current()
    tell(f"Rolled back to {_named(path)}")


@model.command(name="list")
@config_option
def list_models(config: Path) -> None:
    """Tell which bundle is in use, and which was before."""
    with _models(config) as models:
        paths = [models.path(digest) for digest in models.chosen]
    for word, path in zip(("in use", "before"), paths, strict=False):
        show([f"{word:<8}{_named(path)}"])


def _named(path: Path | None) -> str:
    """A bundle by its name, or what is wrong with it."""
    try:
        return _told(_bundle(path))
    except BundleError as error:
        return f"a damaged bundle: {error}"


def _bundle(path: Path | None) -> Any:
    from ..bundles.bundle import Bundle

    return Bundle.open(path)


def _told(bundle: Any) -> str:
    return f"{bundle.identity.name}, {bundle.identity.kind}, digest {bundle.digest[:12]}"


@node.command()
def conformance() -> None:
    """Print the DICOM conformance statement (PS3.2 Annex N)."""
    show(_of("operating.conformance", "conformance_statement")().splitlines())


@node.command(name="systemd-unit")
@config_option
@click.option("--gpu", is_flag=True, help="The network runs on a GPU.")
def systemd_unit(config: Path, gpu: bool) -> None:
    """Print a systemd unit that runs the node at boot, with no more rights than it needs."""
    unit = _of("operating.unit", "systemd_unit")(config, _configuration(config), gpu)
    hidden = _of("operating.unit", "hidden_python")()
    if hidden:
        tell(
            f"The unit hides {hidden} from the service; run this by a Python that lies elsewhere, "
            "such as a virtual environment in /opt of the system's Python"
        )
    show(unit.splitlines())


@contextmanager
def _models(config: Path) -> Generator[Any]:
    configuration = _configuration(config)
    folder = configuration.node.data / _of("models.installed", "MODELS")
    with _store(config) as store:
        yield _of("models.installed", "InstalledModels")(store, folder, configuration.score.bundle)


@contextmanager
def _store(config: Path) -> Generator[Any]:
    """The database of a configuration's node, whether it runs or not."""
    folder: Path = _configuration(config).node.data
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} does not exist: the node of {config} never ran")
    store = _of("state.store", "Store").open(folder)
    try:
        yield store
    finally:
        store.close()
