"""The `vmfa` program: where it is, and how it is run."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import shutil
import subprocess
import sysconfig
import weakref
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from .errors import BinaryNotFound, Error, UsageError, from_answer

# pytest shows the arguments of the functions in a traceback, and those here may be secrets.
__tracebackhide__ = True

Duration = str | int | float | timedelta
"""A length of time: `"45s"`, `"5m"`, seconds, or a timedelta."""


def binary() -> str:
    """Find the program: `VMFA_BINARY`, then what this package installed, then the `PATH`."""
    chosen = os.environ.get("VMFA_BINARY")
    if chosen:
        if not os.access(chosen, os.X_OK):
            raise BinaryNotFound("no-binary", f"VMFA_BINARY ({chosen}) is not a program that can be run")
        return chosen
    return _installed()


@functools.cache
def _installed() -> str:
    schemes = {sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user")}
    places = [sysconfig.get_path("scripts", scheme) for scheme in sorted(schemes)]
    found = shutil.which("vmfa", path=os.pathsep.join(places)) or shutil.which("vmfa")
    if found is None:
        hints = ["pip install vmfa", "or set VMFA_BINARY to the program"]
        raise BinaryNotFound("no-binary", "the program `vmfa` is not installed", hints)
    return found


def duration(value: Duration) -> str:
    """Write a length of time as the command line has it; parts of a second count as a whole one."""
    if isinstance(value, str):
        return value
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if not math.isfinite(seconds):
        raise UsageError(
            "usage", f"{seconds} is not a length of time", ["seconds, a timedelta, or a text such as `45s`"]
        )
    return f"{math.ceil(seconds)}s"


def run(
    arguments: Sequence[str | Path],
    environment: Mapping[str, str],
    stdin: bytes | None = None,
    answers: Sequence[int] = (0,),
) -> dict[str, Any]:
    """Run one command and give its answer; an exit code that isn't among `answers` is an error.

    Without `stdin` the program ends with this process, even if that is killed while a code is waited for.
    """
    lifeline = ["--exit-with-stdin"] if stdin is None else []
    with subprocess.Popen(
        [binary(), "--json", *lifeline, *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        if stdin is None:
            # `communicate` would close stdin, which is the lifeline. Neither answer fills a pipe.
            _WAITING.add(process)
            out, err = _read(process)
        else:
            out, err = process.communicate(stdin)
    if process.returncode in answers and out:
        with contextlib.suppress(ValueError):
            answer: dict[str, Any] = json.loads(out)
            return answer
    raise failure(err or out, process.returncode)


_WAITING: weakref.WeakSet[subprocess.Popen[bytes]] = weakref.WeakSet()


def _let_go() -> None:
    """Close what a fork inherited: a child that outlives its parent would keep commands waiting."""
    for process in list(_WAITING):
        if process.stdin is not None:
            process.stdin.close()
    _WAITING.clear()


os.register_at_fork(after_in_child=_let_go)


def end_all() -> None:
    """End what other threads of this process wait for."""
    for process in list(_WAITING):
        if process.poll() is None:
            process.terminate()


def _read(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        return process.stdout.read(), process.stderr.read()
    finally:
        process.stdin.close()


def failure(said: bytes, exit_code: int | None) -> Error:
    """Make an exception of what a failed command said: JSON on the last line, if anything."""
    text = said.decode(errors="replace").strip()
    try:
        answer = json.loads(text.splitlines()[-1])["error"]
    except (IndexError, KeyError, TypeError, ValueError):
        return Error("crashed", f"vmfa ended with exit code {exit_code}: {text[-2000:]}", exit_code=exit_code)
    return from_answer(answer, exit_code)
