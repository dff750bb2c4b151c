"""Measures for `benches/ledger`, in the session and home that it makes."""

import os
import sqlite3
import statistics
import subprocess
import time
import uuid

HOME, RUNS = os.environ["HOME"], int(os.environ["RUNS"])
SEED = b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
PROGRAMS = {"with": os.environ["WITH"], "without": os.environ["WITHOUT"]}
DEVICES, CLAIMED = 10_000, 100_000
NOW = int(time.time())
WARM = 120


def environment(home):
    return dict(os.environ, VMFA_HOME=f"{HOME}/{home}")


def code(which, home, at):
    start = time.perf_counter()
    subprocess.run(
        [PROGRAMS[which], "code", "mfauser", "--at", str(at)],
        env=environment(home), stdout=subprocess.DEVNULL, check=True,
    )
    return time.perf_counter() - start


def crowd(home, ledgers):
    """Other devices, and what was handed out for them and for this one, put in as the program would."""
    with sqlite3.connect(f"{HOME}/{home}/registry.sqlite3") as registry:
        columns = "id, name, state, account, algorithm, digits, period, vault, created, revision"
        row = lambda number: (str(uuid.uuid4()), f"d{number:05}", "active", "", "SHA1", 6, 30, "age", NOW, 1)
        registry.executemany(
            f"INSERT INTO device ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(row, range(DEVICES))
        )
        if not ledgers:
            return
        (own,) = registry.execute("SELECT ledger FROM device WHERE name = 'mfauser'").fetchone()
        others = [str(uuid.uuid4()) for _ in range(1_000)]
        registry.executemany(
            "INSERT INTO ledger (id, fingerprint, changed, revision) VALUES (?, ?, 0, 0)",
            ((ledger, os.urandom(32)) for ledger in others),
        )
        step = NOW // 30
        mine = [(own, step - number, NOW) for number in range(1, 4_000)]
        rest = [(others[number % 1_000], step - number // 1_000, NOW) for number in range(CLAIMED - len(mine))]
        registry.executemany("INSERT OR IGNORE INTO claimed (ledger, step, since) VALUES (?, ?, ?)", mine + rest)


def measure(title, suffix, begin):
    # As in use: what grows with the first codes has grown.
    for number in range(WARM):
        code("with", "with" + suffix, NOW - (number + 10) * 86_400)
    times = {which: [] for which in PROGRAMS}
    for number in range(RUNS):
        order = list(PROGRAMS) if number % 2 else list(reversed(PROGRAMS))
        for which in order:
            times[which].append(code(which, which + suffix, NOW + (begin + number) * 30))
    for what, of in (("median", statistics.median), ("minimum", min)):
        ours, other = (of(times[which]) * 1000 for which in PROGRAMS)
        print(f"{title}: {what} of {RUNS}: {ours:.2f} ms written down, {other:.2f} ms not, ratio {ours / other:.3f}")


for which, program in PROGRAMS.items():
    for suffix in ("", "-crowd"):
        subprocess.run(
            [program, "add", "mfauser", "-"],
            env=environment(which + suffix), input=SEED, stdout=subprocess.DEVNULL, check=True,
        )
        subprocess.run(
            [program, "code", "mfauser"], env=environment(which + suffix), stdout=subprocess.DEVNULL, check=True
        )
crowd("with-crowd", ledgers=True)
crowd("without-crowd", ledgers=False)
measure("alone", "", 10)
measure("among 10,000 devices, 100,000 codes", "-crowd", 10)
