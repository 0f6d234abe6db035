"""The pages' modules, tested by node's own runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = sorted((Path(__file__).parents[2] / "js").glob("*.test.mjs"))
OLDEST_NODE = 18


def node() -> str:
    path = shutil.which("node")
    if path is None:
        pytest.skip("node is not installed: the pages' scripts are not tested")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"node {version} has no test runner; {OLDEST_NODE} or newer is needed")
    return path


def test_there_are_tests() -> None:
    assert TESTS


@pytest.mark.parametrize("test", TESTS, ids=lambda path: path.stem)
def test_of_node(test: Path) -> None:
    done = subprocess.run([node(), "--test", str(test)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
