"""What the tests need: the program, and pytest in pytest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import vmfa

pytest_plugins = ["pytester"]

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
    pytester.makeini("[pytest]\naddopts = -p vmfa.pytest_plugin -p no:cacheprovider\n")
    return pytester
