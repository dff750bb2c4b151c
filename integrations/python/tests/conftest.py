"""What the tests need: the program, and pytest in pytest."""

import importlib.metadata
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import vmfa

pytest_plugins = ["pytester"]

# An installed package brings its plugin along.
PLUGIN = "" if importlib.metadata.entry_points(group="pytest11", name="vmfa") else "-p vmfa.pytest_plugin"
SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def home() -> Iterator[vmfa.Home]:
    """A home of the test's own."""
    with vmfa.Home() as home:
        yield home


@pytest.fixture
def server() -> Iterator[vmfa.Server]:
    """A stand-in of the test's own, on virtual time."""
    with vmfa.serve() as server:
        yield server


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """An empty test suite that has the plugin, whether the package is installed or not."""
    pytester.makeini(f"[pytest]\naddopts = {PLUGIN}\n")
    return pytester


def gone(process: int, seconds: float = 2) -> bool:
    """Tell whether a process has ended, or will within so long; one that nobody waits for counts."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False
