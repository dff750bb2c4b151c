"""The examples of the READMEs, as they are printed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SEED, sharing

import vmfa

README = Path(__file__).parents[1] / "README.md"


PROJECT = Path(__file__).parents[3] / "README.md"
GUIDE = PROJECT.parent / "docs/guides/pytest.md"
SHARE = PROJECT.parent / "docs/share.md"


def blocks(language: str, page: Path = README) -> list[str]:
    """Give a page's blocks of a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    return found


def test_the_project_begins_with_the_same_example() -> None:
    assert blocks("python", PROJECT)[0] == blocks("python")[0]


def test_the_first_example_is_short() -> None:
    assert len(blocks("python")[0].splitlines()) <= 25


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_the_examples_for_pytest_pass(suite: pytest.Pytester, options: tuple[str, ...]) -> None:
    tests = [block for block in blocks("python") + blocks("python", GUIDE) if "def test_" in block]
    suite.makepyfile(**{f"test_{number}": block for number, block in enumerate(tests)})
    suite.runpytest_subprocess("-W", "error", *options).assert_outcomes(passed=3)


def test_the_examples_without_pytest_run() -> None:
    for block in blocks("python"):
        if "def test_" not in block and "vmfa.Share(" not in block:
            done = subprocess.run([sys.executable, "-W", "error", "-c", block], stdout=subprocess.PIPE, text=True)
            assert done.returncode == 0
            assert re.match(r"\d{6} \d+ .* http://127", done.stdout)


@pytest.mark.parametrize("page", [README, SHARE])
def test_the_example_of_a_server_runs(home: vmfa.Home, page: Path) -> None:
    home.add("ci/1", SEED)
    (block,) = (block for block in blocks("python", page) if "vmfa.Share(" in block)
    with sharing(home) as service:
        environment = {**os.environ, "VMFA_URL": service.url, "VMFA_TOKEN": service.token}
        command = [sys.executable, "-W", "error", "-c", block]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0
    assert re.match(r"\d{6} ci/1\b", done.stdout)


def test_the_example_for_robot_passes(tmp_path: Path) -> None:
    (block,) = blocks("robotframework")
    suite = tmp_path / "example.robot"
    suite.write_text(block)
    done = subprocess.run(
        [sys.executable, "-m", "robot", "--outputdir", tmp_path, suite], stdout=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stdout
