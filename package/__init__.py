"""BS-Net on the edge: Brixia scores from bedside chest radiographs.

Nothing but the version is here; the rooms `brixia_edge.runtime`, `brixia_edge.export`,
`brixia_edge.calibration` and `brixia_edge.benchmarks` are folders of their own beside this one.
"""


def __getattr__(name: str) -> str:
    """Look ``__version__`` up when it is asked for (PEP 562)."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("brixia-edge")
