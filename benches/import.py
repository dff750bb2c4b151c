"""Times `vmfa import` of 10,000 entries: a dry run, and into an age vault. Best of three; peak memory of the last."""

import base64
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

ENTRIES = 10_000


def export() -> str:
    entries = []
    for number in range(ENTRIES):
        secret = base64.b32encode(hashlib.sha1(str(number).encode()).digest()).decode()
        info = {"secret": secret, "algo": "SHA1", "digits": 6, "period": 30}
        entries.append({"type": "totp", "name": f"user{number}@example.com", "issuer": f"Service {number % 97}", "info": info})
    return json.dumps({"version": 1, "header": {}, "db": {"version": 2, "entries": entries}})


def run(program: str, home: str, *arguments: str) -> float:
    environment = {"VMFA_HOME": f"{home}/vmfa", "VMFA_IDENTITY_FILE": f"{home}/identity", "PATH": os.environ["PATH"]}
    begin = time.monotonic()
    subprocess.run([program, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - begin


def main() -> None:
    program = sys.argv[1]
    dry, stored = [], []
    # All homes are deleted at the end: ext4 takes no inode that was freed a moment ago, and looks past them one by one, so a
    # run would pay for the files of the run before.
    with tempfile.TemporaryDirectory() as place:
        for number in range(3):
            home = f"{place}/{number}"
            os.mkdir(home)
            with open(f"{home}/export.json", "w") as file:
                file.write(export())
            run(program, home, "init", "--vault", "age", "--new-identity", f"{home}/identity")
            dry.append(run(program, home, "import", f"{home}/export.json", "--dry-run"))
            stored.append(run(program, home, "import", f"{home}/export.json"))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{ENTRIES} entries, best of three: dry run {min(dry):.2f} s, into an age vault {min(stored):.2f} s; peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
