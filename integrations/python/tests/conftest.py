"""What the tests need: the program, and pytest in pytest."""

import contextlib
import importlib.metadata
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

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


class Service(NamedTuple):
    """A `vmfa share` that runs, and an access token for the devices in `ci/`."""

    url: str
    token: str
    process: subprocess.Popen[bytes]

    def client(self) -> vmfa.Share:
        return vmfa.Share(self.url, self.token)


def new_token(home: vmfa.Home, name: str, pattern: str) -> str:
    """Make an access token."""
    add = [vmfa.binary(), "share", "token", "add", name, "--allow", pattern]
    return subprocess.run(add, env=home.env(), capture_output=True, text=True, check=True).stdout.strip()


@contextlib.contextmanager
def sharing(home: vmfa.Home, *options: str) -> Iterator[Service]:
    """Run a `vmfa share` of a home's devices."""
    token = new_token(home, "ci", "ci/*")
    # It ends with this process, too, should that be killed.
    command = [vmfa.binary(), "share", "--json", "--exit-with-stdin", "--listen", "127.0.0.1:0", *options]
    with subprocess.Popen(
        command, env=home.env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            yield Service(json.loads(process.stdout.readline())["url"], token, process)
        finally:
            process.kill()


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """An empty test suite that has the plugin, whether the package is installed or not."""
    pytester.makeini(f"[pytest]\naddopts = {PLUGIN}\n")
    return pytester


def met(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Tell whether something comes to be so within so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


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
