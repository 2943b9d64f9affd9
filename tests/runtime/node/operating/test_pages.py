"""What the node prints for others: the conformance statement, the systemd unit."""

import shutil
import subprocess
from pathlib import Path

import pytest
from brixia_edge.runtime.node.operating.conformance import conformance_statement
from brixia_edge.runtime.node.operating.unit import systemd_unit

DOCS = Path(__file__).parents[4] / "docs"


def test_the_statement_in_the_docs_is_the_codes() -> None:
    # The version is in a line of its own making.
    page = (DOCS / "conformance.md").read_text(encoding="utf-8").splitlines()
    told = conformance_statement().splitlines()
    assert [line for line in page if "Annex N;" not in line] == [
        line for line in told if "Annex N;" not in line
    ]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    unit = tmp_path / "brixia-edge.service"
    unit.write_text(systemd_unit(tmp_path / "node.toml"))
    tool = shutil.which("systemd-analyze") or ""
    done = subprocess.run([tool, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert str(unit.name) not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


def test_the_unit_gives_no_right_that_the_node_does_not_need(tmp_path: Path) -> None:
    lines = systemd_unit(tmp_path / "node.toml").splitlines()
    assert {"DynamicUser=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "Type=notify"} <= {
        *lines
    }
    # A scoring process that takes too much memory must not end the node.
    assert "OOMPolicy=continue" in lines
    assert "PrivateDevices=no" in systemd_unit(tmp_path / "node.toml", gpu=True)
