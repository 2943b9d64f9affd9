"""What the node counts and times, for Prometheus; no label tells anything of a patient."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import MissingExtra, pip_line
from .state.rows import Agreement, Counts

try:
    from prometheus_client import CollectorRegistry, Histogram, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
except ModuleNotFoundError as error:
    raise MissingExtra.of("the node", "prometheus-client", pip_line("node")) from error

_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)


@dataclass(frozen=True)
class Snapshot:
    """What is read from the node when it is asked.

    Attributes
    ----------
    counts
        Of the database.
    free
        Bytes free on the disk.
    model
        The digest of the bundle that answers; empty while none does.
    now
        Seconds since the Epoch.
    drift
        By quantity: see `QuantityDrift.excess`; empty where nothing can be said.
    agreement
        Of the shadow with the answers.
    """

    counts: Counts
    free: int
    model: str
    now: float
    drift: Mapping[str, float] = field(default_factory=dict[str, float])
    agreement: Agreement = field(default_factory=Agreement)


class Meters:
    """Histograms that the node's parts fill, and figures that are read when asked for.

    Parameters
    ----------
    look
        Gives what there is at the moment.
    """

    def __init__(self, look: Callable[[], Snapshot]) -> None:
        self._look = look
        self.registry = CollectorRegistry()
        self.acknowledge = self._histogram("acknowledge", "From the whole image to our Success")
        self.score = self._histogram("score", "From the queue to score and answers")
        self.deliver = self._histogram("deliver", "From the score to the answer's arrival")
        self.registry.register(self)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Any]:
        """Asked by the registry: figures of the moment."""
        seen = self._look()
        yield _by(
            "images",
            "Images by state",
            ["state"],
            (((state,), count) for state, count in seen.counts.instances.items()),
        )
        yield _by(
            "answers",
            "Answers by destination and state",
            ["destination", "state"],
            (
                ((name, state), count)
                for name, states in seen.counts.deliveries.items()
                for state, count in states.items()
            ),
        )
        yield CounterMetricFamily(
            "brixia_repeated", "Images that came again", value=seen.counts.repeats
        )
        ages = {"queued": seen.counts.oldest_queued, "waiting": seen.counts.oldest_waiting}
        yield _by(
            "oldest_seconds",
            "Age of the oldest to be scored, and to be sent",
            ["queue"],
            (((name,), 0.0 if since is None else seen.now - since) for name, since in ages.items()),
        )
        yield GaugeMetricFamily("brixia_disk_free_bytes", "Free on the disk", value=seen.free)
        answering = [((seen.model,), 1)] if seen.model else []
        yield _by("model", "The bundle that answers", ["digest"], answering)
        yield _by(
            "drift_index",
            "Population stability index of the latest images less what chance adds",
            ["quantity"],
            (((name,), index) for name, index in seen.drift.items()),
        )
        yield from _agreement(seen.agreement)

    def _histogram(self, name: str, meaning: str) -> Histogram:
        return Histogram(
            f"brixia_{name}_seconds", meaning, buckets=_SECONDS, registry=self.registry
        )


def _agreement(found: Agreement) -> Iterator[Any]:
    figures = {
        "images": ("Latest images that the shadow scored too", found.images),
        "zones_equal": ("Share of zones to which both give one score", found.zones_equal),
        "mean_difference": ("Mean difference of the global scores", found.mean_difference),
        "largest_difference": ("Largest of these", found.largest_difference),
    }
    for name, (meaning, value) in figures.items():
        if found.images or name == "images":
            yield GaugeMetricFamily(f"brixia_shadow_{name}", meaning, value=value)


def _by(name: str, meaning: str, labels: list[str], rows: Any) -> Any:
    family = GaugeMetricFamily(f"brixia_{name}", meaning, labels=labels)
    for values, number in rows:
        family.add_metric([str(value) for value in values], float(number))
    return family
