"""What a TensorRT or TensorRT-RTX module offers: the one place that tells releases apart.

Releases are told apart by the names that their modules have, never by version
numbers: vendors backport, and a name that exists is what counts.

===============================  ======  ======  ======  ===
name                             8.5     10      11      RTX
===============================  ======  ======  ======  ===
STRONGLY_TYPED networks          no      yes     yes     yes
EXPLICIT_BATCH                   yes     yes     no      no
BuilderFlag.FP16, INT8           yes     yes     no      no
IProgressMonitor                 no      yes     yes     yes
VERSION_COMPATIBLE               no      yes     yes     (*)
ParserError.node_name            no      yes     yes     yes
ComputeCapability                no      no      no      yes
===============================  ======  ======  ======  ===

(*) The name exists, but an engine stays tied to its release; `for_rtx` refuses it.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Offers:
    """A library module and what it can do."""

    module: Any

    @property
    def version(self) -> str:
        """The release, as the library calls itself."""
        return str(self.module.__version__)

    @property
    def strongly_typed(self) -> bool:
        """Whether a network's own types decide the precision; otherwise flags allow it."""
        return hasattr(self.module.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")

    @property
    def progress(self) -> bool:
        """Whether a build reports its progress and can be cancelled."""
        return hasattr(self.module, "IProgressMonitor")

    @property
    def version_compatible(self) -> bool:
        """Whether an engine can be built for later releases, too."""
        return hasattr(self.module.BuilderFlag, "VERSION_COMPATIBLE")

    @property
    def targets(self) -> tuple[str, ...]:
        """GPUs that it builds for without having them; empty when it builds for its own only."""
        if not hasattr(self.module, "ComputeCapability"):
            return ()
        names: list[str] = list(self.module.ComputeCapability.__members__)
        return tuple(f"sm_{name[2:]}" for name in names if name.startswith("SM"))

    def network_flags(self) -> int:
        """Flags for `create_network`: typed by the ONNX file where that exists."""
        flags = self.module.NetworkDefinitionCreationFlag
        name = "STRONGLY_TYPED" if self.strongly_typed else "EXPLICIT_BATCH"
        return 1 << int(getattr(flags, name))

    def precision_flags(self, precision: str) -> tuple[Any, ...]:
        """Builder flags without which a weakly typed build would stay in float32."""
        if self.strongly_typed or precision == "fp32":
            return ()
        flag = self.module.BuilderFlag
        return (flag.FP16, flag.INT8) if precision == "int8" else (flag.FP16,)
