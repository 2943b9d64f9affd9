"""A network as a list of nodes over named tensors, easy to build and to rewrite.

ONNX's own protobuf is awkward to edit (repeated fields, typed attributes), so
the exporter builds and rewrites this small form and turns it into ONNX once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Attribute = int | float | str | list[int] | list[float]
Array = NDArray[np.generic]


@dataclass
class Node:
    """One operator; `name` is unique in its graph and names its first output's producer."""

    operator: str
    inputs: list[str]
    outputs: list[str]
    name: str
    attributes: dict[str, Attribute] = field(default_factory=dict[str, Attribute])

    def number(self, attribute: str) -> float:
        """A numeric attribute; TypeError when it is not one."""
        value = self.attributes[attribute]
        if not isinstance(value, int | float):
            raise TypeError(f"attribute {attribute} of {self.name} is {value!r}, not a number")
        return value

    def integers(self, attribute: str) -> list[int]:
        """An attribute that is a list of integers; TypeError when it is not one."""
        value = self.attributes[attribute]
        if not isinstance(value, list):
            raise TypeError(f"attribute {attribute} of {self.name} is {value!r}, not a list")
        return [int(entry) for entry in value]

    def copy(self) -> "Node":
        """An independent copy."""
        return Node(
            self.operator, list(self.inputs), list(self.outputs), self.name, dict(self.attributes)
        )


@dataclass(frozen=True)
class TensorType:
    """The element type (a NumPy dtype name) and shape of a graph input or output.

    A dimension is a number, or a name where it is dynamic.
    """

    dtype: str
    shape: tuple[int | str, ...]


@dataclass
class Graph:
    """Nodes in execution order, constants by tensor name, typed inputs and outputs."""

    name: str
    nodes: list[Node] = field(default_factory=list[Node])
    constants: dict[str, Array] = field(default_factory=dict[str, Array])
    inputs: dict[str, TensorType] = field(default_factory=dict[str, TensorType])
    outputs: dict[str, TensorType] = field(default_factory=dict[str, TensorType])

    def add(self, operator: str, inputs: Iterable[str], name: str, **attributes: Attribute) -> str:
        """Append a node with one output tensor called `name`; returns that name."""
        self.nodes.append(Node(operator, list(inputs), [name], name, dict(attributes)))
        return name

    def constant(self, name: str, value: Array) -> str:
        """Store a constant; the same name may be stored again only with the same value."""
        known = self.constants.setdefault(name, value)
        if known is not value and not np.array_equal(known, value):
            raise ValueError(f"constant {name!r} is already stored with another value")
        return name

    def reshape(self, source: str, name: str, shape: Sequence[int]) -> str:
        """Append a Reshape; 0 keeps a dimension, -1 is inferred."""
        constant = self.constant(f"{name}/shape", np.array(shape, np.int64))
        return self.add("Reshape", [source, constant], name)

    def slice(self, source: str, name: str, axis: int, start: int, end: int) -> str:
        """Append a Slice of one axis."""
        bounds = [
            self.constant(f"slice/{key}{value}", np.array([value], np.int64))
            for key, value in (("at", start), ("at", end), ("axis", axis))
        ]
        return self.add("Slice", [source, *bounds], name)

    def producer(self, tensor: str) -> Node | None:
        """The node that writes `tensor`; None for inputs and constants."""
        return next((node for node in self.nodes if tensor in node.outputs), None)

    def node_writing(self, tensor: str) -> Node:
        """The node that writes `tensor`; KeyError when none does."""
        node = self.producer(tensor)
        if node is None:
            raise KeyError(f"no node writes {tensor!r}")
        return node

    def consumers(self, tensor: str) -> list[Node]:
        """The nodes that read `tensor`, in execution order."""
        return [node for node in self.nodes if tensor in node.inputs]

    def node(self, name: str) -> Node:
        """The node called `name`; KeyError when there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(f"no node is called {name!r}")

    def sole_consumer(self, tensor: str) -> Node | None:
        """The one node that reads `tensor`; None when several do or it is an output."""
        readers = self.consumers(tensor)
        return readers[0] if len(readers) == 1 and tensor not in self.outputs else None

    def insert_before(self, anchor: Node, new: Iterable[Node]) -> None:
        """Insert nodes right before `anchor`."""
        position = self._position(anchor)
        self.nodes[position:position] = list(new)

    def remove(self, node: Node) -> None:
        """Take a node out; its output tensor must have no reader left by then."""
        del self.nodes[self._position(node)]

    def replace_tensor(self, old: str, new: str) -> None:
        """Let every reader of `old` read `new` instead."""
        for node in self.nodes:
            node.inputs = [new if tensor == old else tensor for tensor in node.inputs]

    def prune(self) -> None:
        """Drop the nodes and constants that no output depends on."""
        needed = set(self.outputs)
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs):
                needed.update(node.inputs)
        self.nodes = [node for node in self.nodes if needed.intersection(node.outputs)]
        self.constants = {name: value for name, value in self.constants.items() if name in needed}

    def sort(self) -> None:
        """Bring the nodes into an order in which every tensor is written before it is read."""
        known = {*self.inputs, *self.constants, ""}
        waiting, self.nodes = self.nodes, []
        while waiting:
            # One node at a time, the earliest first, so that a sorted graph stays as it is.
            ready = (place for place, node in enumerate(waiting) if known.issuperset(node.inputs))
            place = next(ready, None)
            if place is None:
                raise ValueError(f"nodes {[node.name for node in waiting]} wait for each other")
            node = waiting.pop(place)
            self.nodes.append(node)
            known.update(node.outputs)

    def copy(self) -> "Graph":
        """An independent copy; constants share their (never modified) arrays."""
        return Graph(
            self.name,
            [node.copy() for node in self.nodes],
            dict(self.constants),
            dict(self.inputs),
            dict(self.outputs),
        )

    def _position(self, node: Node) -> int:
        return next(index for index, other in enumerate(self.nodes) if other is node)
