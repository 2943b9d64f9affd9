"""What is handed out is whole: the source distribution, the metadata, the public checks."""

import re
import shutil
import subprocess
import sys
import tarfile
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IGNORED = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
"""Names that a tree has once it is worked in, and nobody hands out."""


@pytest.fixture
def metadata() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of this repository without what working in it leaves."""
    names = (name.strip("/") for name in IGNORED)
    left_out = shutil.ignore_patterns(".git", *names)
    return Path(shutil.copytree(ROOT, tmp_path / "tree", ignore=left_out))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_source_distribution_holds_every_file(tree: Path, tmp_path: Path) -> None:
    whole = files(tree) - {".gitignore"}
    build = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(tmp_path)]
    done = subprocess.run([*build, "."], cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        held = {name.partition("/")[2] for name in packed.getnames()}
    assert whole <= held, sorted(whole - held)


def test_the_metadata_name_only_what_is_cited(metadata: ConfigParser) -> None:
    urls = metadata["metadata"]["project_urls"].split("\n")[1:]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = [url.split(" = ")[1] for url in urls]
    assert len(pages) == 3
    assert all(page in readme for page in pages)


def test_the_public_checks_try_every_python_that_the_metadata_name(metadata: ConfigParser) -> None:
    named = re.findall(r"Python :: (3\.\d+)", metadata["metadata"]["classifiers"])
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    (tried,) = re.findall(r"python: \[(.*)\]", workflow)
    assert re.findall(r"[\d.]+", tried) == named
    assert "ubuntu-24.04, ubuntu-24.04-arm" in workflow
