"""Times of fused and renamed nodes go to the part of the network that they come from."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from brixia_edge.benchmarks.roofline.layers import OTHER
from brixia_edge.benchmarks.roofline.programs import (
    layers_of_optimised,
    times_from_events,
    times_from_profile,
)


def event(name: str, operator: str, microseconds: int) -> dict[str, Any]:
    arguments = {"op_name": operator}
    return {"cat": "Node", "name": f"{name}_kernel_time", "dur": microseconds, "args": arguments}


def node(name: str, read: list[str], written: list[str]) -> Any:
    return SimpleNamespace(name=name, input=read, output=written)


OPTIMISED = [
    node("relu0_nchwc", ["image"], ["a"]),
    node("ReorderOutput_token_1", ["a"], ["b"]),
    node("decoder_stage2-1_upsample/cropped1", ["b"], ["c"]),
    node("ReorderInput_token_2", ["c"], ["d"]),
    node("decoder_stage2-1_conv2/upsampled_nchwc", ["d"], ["e"]),
    node("lonely", ["nothing"], ["f"]),
]
"""As ONNX Runtime 1.32 names the nodes of our graph."""

EVENTS: list[dict[str, Any]] = [
    {"cat": "Session", "name": "session_initialization", "dur": 9},
    event("relu0_nchwc", "Conv", 2000),
    event("ReorderOutput_token_1", "ReorderOutput", 100),
    event("ReorderInput_token_2", "ReorderInput", 300),
    event("decoder_stage2-1_conv2/upsampled_nchwc", "Conv", 5000),
    event("fused stn/locnet_dense", "FusedGemm", 50),
    event("lonely", "Identity", 7),
    {"cat": "Session", "name": "model_run", "dur": 7500},
    event("relu0_nchwc", "Conv", 1000),
    {"cat": "Session", "name": "model_run", "dur": 1100},
]


def test_onnx_runtimes_times_are_told_by_run_and_part() -> None:
    first, second = times_from_events(EVENTS, layers_of_optimised(OPTIMISED))
    assert [(time.layer.group, time.milliseconds) for time in first] == [
        ("encoder", 2.0),
        ("encoder", 0.1),
        ("decoder", 0.3),
        ("decoder", 5.0),
        ("alignment", 0.05),
        (OTHER, 0.007),
    ]
    assert [time.milliseconds for time in second] == [1.0]


def test_openvinos_times_leave_out_what_did_not_run() -> None:
    profile = [
        profiled("conv0/WithoutBiases", "Convolution", 1500),
        profiled("zones64_abcd_acdb_Pmid0_merged", "Reorder", 66),
        profiled("Multiply_10048", "MulAdd", 0),
    ]
    times = list(times_from_profile(profile))
    assert [(time.layer.group, time.operator, time.milliseconds) for time in times] == [
        ("encoder", "Convolution", pytest.approx(1.5)),
        ("alignment", "Reorder", pytest.approx(0.066)),
    ]


def profiled(name: str, kind: str, microseconds: int) -> Any:
    real_time = timedelta(microseconds=microseconds)
    return SimpleNamespace(node_name=name, node_type=kind, real_time=real_time)
