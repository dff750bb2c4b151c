"""The library for Robot Framework, by Robot itself."""

import os
import subprocess
import sys
from pathlib import Path

from conftest import gone


def test_robot_runs_every_keyword(tmp_path: Path) -> None:
    suite = Path(__file__).parent / "mfa.robot"
    done = subprocess.run(
        [sys.executable, "-m", "robot", "--outputdir", tmp_path, suite],
        env={**os.environ, "PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "4 tests, 4 passed" in done.stdout


def test_keywords_are_named_and_documented() -> None:
    def libdoc(what: str) -> str:
        command = [sys.executable, "-m", "robot.libdoc", "vmfa.robot", what]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout

    assert libdoc("list").splitlines() == [
        "Add Device",
        "Advance Time",
        "Enable Device",
        "Get AWS Environment",
        "Get Code",
        "Get Events",
        "Get Pair",
        "Remove Device",
        "Start Stand-in",
        "Stop Stand-in",
        "Use Home",
        "Verify Codes",
    ]
    shown = libdoc("show")
    assert "GLOBAL" in shown
    assert "Enrol a device" in shown


def test_a_run_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    suite = tmp_path / "kill.robot"
    suite.write_text("""
*** Settings ***
Library    vmfa.robot
*** Test Cases ***
Dies
    Start Stand-in
    Evaluate    pathlib.Path("server").write_text(str(__import__("vmfa.robot").robot._RUN.server.pid))
    Evaluate    os.kill(os.getpid(), 9)
""")
    subprocess.run([sys.executable, "-m", "robot", "--output", "NONE", suite], cwd=tmp_path, stdout=subprocess.DEVNULL)
    assert gone(int((tmp_path / "server").read_text()))
