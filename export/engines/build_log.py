"""What a build says while it runs: errors for the user, and the layers it ends up with."""

from functools import cache
from importlib import import_module
from typing import Any

LAYERS = "Layers:"
"""How the builder's own list of the finished engine's layers begins."""


@cache
def build_log(module: str) -> Any:
    """The logger of a TensorRT module; there is one for each module.

    The library keeps the first logger it is given for as long as anything made with it lives, and
    ignores a second one; two would lose messages.

    Returns
    -------
    An ``ILogger`` with `begin`, which forgets what was logged, and the tuples `errors` and
    `layers`.
    """
    trt: Any = import_module(module)

    class BuildLog(trt.ILogger):
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.begin()

        def begin(self) -> None:
            self.errors: tuple[str, ...] = ()
            self.layers: tuple[str, ...] = ()

        def log(self, severity: Any, message: str) -> None:
            if severity <= trt.ILogger.ERROR:
                self.errors += (message.strip(),)
            elif message.startswith(LAYERS):
                self.layers += (message,)

    return BuildLog()
