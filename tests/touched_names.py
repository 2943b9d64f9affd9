"""Which names of TensorRT and of cuda-python our code touches, read from the code itself.

Variables that hold objects of the library are called alike everywhere, so an
attribute's owner is known by the variable's name.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILDERS = (
    "build",
    "build_log",
    "for_rtx",
    "for_tensorrt",
    "offers",
    "precision_check",
    "progress",
)
SESSIONS = ("session", "engine", "execution", "rtx")
MODULES = (
    *(ROOT / "export" / "engines" / f"{name}.py" for name in BUILDERS),
    *(ROOT / "runtime" / "backends" / "trt" / f"{name}.py" for name in SESSIONS),
)
"""Those that hold objects of the library; a test checks that no other does."""

OWNERS = {
    "trt": "",
    "_trt": "",
    "module": "",
    "flags": "NetworkDefinitionCreationFlag",
    "flag": "BuilderFlag",
    "capability": "ComputeCapability",
    "builder": "Builder",
    "network": "INetworkDefinition",
    "config": "IBuilderConfig",
    "profile": "IOptimizationProfile",
    "parser": "OnnxParser",
    "error": "ParserError",
    "layer": "ILayer",
    "runtime": "Runtime",
    "_runtime": "Runtime",
    "engine": "ICudaEngine",
    "_engine": "ICudaEngine",
    "inspector": "EngineInspector",
    "_context": "IExecutionContext",
    "_cache": "IRuntimeCache",
    "cache": "IRuntimeCache",
}
"""The library's class that a variable's attributes belong to; nothing for the module itself."""


NOT_THE_LIBRARYS = {"ParserError.strerror"}
"""An `OSError` is called `error`, too."""


def touched() -> set[str]:
    """Dotted names within the module, such as ``Builder.create_network``."""
    names: set[str] = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                names.update(_dotted(node, path.name))
    return names - NOT_THE_LIBRARYS


def driver_calls() -> set[str]:
    """Functions of ``cuda.bindings.driver`` that are called by name."""
    tree = ast.parse((ROOT / "runtime" / "backends" / "trt" / "gpu_cuda_bindings.py").read_text())
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "_call"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def _dotted(node: ast.Attribute, file: str) -> Iterator[str]:
    """The attribute, and for ``trt.Enum.MEMBER`` the member too."""
    owner = _name(node.value)
    if file == "rtx.py" and owner == "config":
        yield f"IRuntimeConfig.{node.attr}"
    elif owner in OWNERS and not node.attr.startswith("__"):
        yield ".".join(filter(None, (OWNERS[owner], node.attr)))
    elif isinstance(node.value, ast.Attribute) and not OWNERS.get(_name(node.value.value), "?"):
        yield f"{node.value.attr}.{node.attr}"


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
