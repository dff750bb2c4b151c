#!/usr/bin/env python3
"""Workers of pytest-xdist lease codes from one pool, on real time, and sign in at one stand-in. No code may be refused.

    python3 benches/python/pool.py [--workers 8] [--tests 25] [--runs 3]

400 codes of 16 devices take 11 minutes a run: a device has one code in 30 seconds.
"""

import argparse
import base64
import hashlib
import importlib.metadata
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DEVICES = 16
HERE = Path(__file__).parent
PACKAGE = HERE.parent.parent / "integrations" / "python" / "src"


def secret(number: int) -> str:
    """The seed of a device; no secret."""
    return base64.b32encode(hashlib.sha1(f"pool {number}".encode()).digest()).decode()


def scenario() -> str:
    """A user with a key and a device for each member of the pool."""
    return "".join(
        f'[[user]]\nname = "user-{number}"\naccess_key = true\n'
        f'[[user.device]]\nname = "user-{number}"\nsecret = "{secret(number)}"\n'
        for number in range(DEVICES)
    )


def run(workers: int, tests: int) -> bool:
    """One run of the suite; tells how long it took, and whether all is well."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "scenario.toml")
        file.write_text(scenario())
        options = ["vmfa_time=real", f"vmfa_scenario={file}"]
        # From an installed package, else from this checkout.
        installed = importlib.metadata.entry_points(group="pytest11", name="vmfa")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(workers)]
        command += [] if installed else ["-p", "vmfa.pytest_plugin"]
        command += [word for option in options for word in ("-o", option)]
        place = {} if installed else {"PYTHONPATH": str(PACKAGE)}
        start = time.monotonic()
        done = subprocess.run(
            [*command, str(HERE / "test_pool.py")],
            env={**os.environ, **place, "VMFA_POOL_TESTS": str(workers * tests)},
        )
        print(
            f"{workers} workers, {workers * tests} tests: {time.monotonic() - start:.0f} s",
            flush=True,
        )
        return done.returncode == 0


def main() -> None:
    """Run it as often as asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--tests", type=int, default=25, help="a worker")
    parser.add_argument("--runs", type=int, default=1)
    arguments = parser.parse_args()
    sys.exit(0 if all(run(arguments.workers, arguments.tests) for _ in range(arguments.runs)) else 1)


if __name__ == "__main__":
    main()
