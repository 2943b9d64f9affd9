"""The counted work of the network is what its layers' sizes say."""

import pytest
from brixia_edge.benchmarks.roofline.rewrite_gains import count_macs
from brixia_edge.export.graph.graph import Graph
from brixia_edge.export.graph.onnx_model import to_onnx
from brixia_edge.export.rewrites import FLOAT_REWRITES, rewrite


def test_the_plain_network_has_the_published_work(seeded_network: Graph) -> None:
    """94 GMAC in convolutions: counted from the original by others."""
    convolutions = count_macs(to_onnx(seeded_network), ("Conv", "ConvTranspose"))
    assert convolutions / 1e9 == pytest.approx(94, abs=0.6)


def test_the_rewrites_save_work_and_nodes(seeded_network: Graph) -> None:
    rewritten = rewrite(seeded_network)
    assert count_macs(to_onnx(rewritten)) < 0.985 * count_macs(to_onnx(seeded_network))
    assert len(rewritten.nodes) < 0.8 * len(seeded_network.nodes)
    subpixel = count_macs(to_onnx(rewrite(seeded_network, FLOAT_REWRITES)))
    assert subpixel < 1.04 * count_macs(to_onnx(rewritten))
