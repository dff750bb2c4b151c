"""Times `vmfa code --fresh` over PostgreSQL beside SQLite: whole processes, taking turns, each with a step of its own.

    VMFA_REGISTRY=postgres://USER@HOST/DATABASE python3 benches/fresh.py PROGRAM [RUNS]

The database has to be empty; PROGRAM is the `vmfa` to measure. The secret is in an age vault both times.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

SECRET = b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
WARM = 10


def main() -> None:
    program, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100
    server = os.environ["VMFA_REGISTRY"]
    with tempfile.TemporaryDirectory() as place:
        homes = {}
        for name in ("SQLite", "PostgreSQL"):
            home = {"VMFA_HOME": f"{place}/{name}", "VMFA_IDENTITY_FILE": f"{place}/{name}.txt", "PATH": os.environ["PATH"]}
            if name == "PostgreSQL":
                home |= {variable: value for variable, value in os.environ.items() if variable.startswith("PG")}
                home["VMFA_REGISTRY"] = server
            homes[name] = home
            quiet = {"env": home, "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run([program, "init", "--vault", "age", "--new-identity", home["VMFA_IDENTITY_FILE"]], **quiet)
            subprocess.run([program, "add", "mfauser", "-"], input=SECRET, **quiet)
        # Later than any step that may be taken.
        now = int(time.time()) + 3_600
        times: dict[str, list[float]] = {name: [] for name in homes}
        for number in range(WARM + runs):
            for name, home in homes.items():
                arguments = [program, "code", "mfauser", "--fresh", "--at", str(now + 30 * number)]
                begin = time.perf_counter()
                subprocess.run(arguments, env=home, check=True, stdout=subprocess.DEVNULL)
                if number >= WARM:
                    times[name].append(time.perf_counter() - begin)
        for what, of in (("median", statistics.median), ("minimum", min)):
            sqlite, postgres = (of(times[name]) * 1000 for name in homes)
            print(f"{what} of {runs}: {postgres:.2f} ms over PostgreSQL, {sqlite:.2f} ms over SQLite, ratio {postgres / sqlite:.2f}")


if __name__ == "__main__":
    main()
