"""How the cost of commands grows with the number of devices: whole processes, in an age vault and in a real keyring.

    python3 benches/scale.py PROGRAM [--quick] [--only age|keyring] [--sizes 10,1000] [--json FILE] [--svg DIRECTORY]
    python3 benches/scale.py --draw FILE --svg DIRECTORY [--cpu]

PROGRAM is the `vmfa` to measure; benches/scale builds it and starts this. Every home is filled by `vmfa import` with random
secrets. The commands take turns; each runs until it has had its time, so an expensive one runs seldom. Figures are medians of the
wall clock, with the minimum beside them, and of CPU time of the process itself, without the keyring's or the stand-in's.
What would take more than a minute of CPU time a run (`--limit`) is left out: `-`.

Three bars are held, in the age vault: `list` among 10,000 devices, a lease from a pool of 1,000 beside one from a pool of
one, and `code` among 10,000 devices beside oathtool, which reads its secret from a file.
"""

import argparse
import base64
import datetime
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import scale_svg

SIZES = {"age": [10, 1_000, 10_000, 100_000], "keyring": [10, 1_000, 2_500]}
QUICK = {"age": [10, 100, 1_000], "keyring": [10, 100]}
TITLES = {"age": "age vault", "keyring": "GNOME Keyring"}
# Those of a group run one after the other: what the first adds, the second removes.
LEASE = "code 'ci/*' --fresh"
GROUPS = [("list",), ("list --json",), ("code NAME",), (LEASE,), ("add", "remove"), ("aws status",)]
COMMANDS = [command for group in GROUPS for command in group]
LIST_BAR, POOL_BAR, PEER_BAR = 25, 1.5, 4
WARM, LEAST = 2, 3
# Of how many devices `code` gives codes; each gave one before.
AMONG = 10
# An export has at most 20,000 entries.
AT_ONCE = 20_000
# Homes of more devices than that are filled in memory.
ON_DISK, MEMORY = 1_000, "/dev/shm"


def secret():
    return base64.b32encode(os.urandom(20)).decode()


def name(number):
    return f"ci/{number:06}"


class Home:
    """A home with devices, and what its commands need: a session if they are in a keyring, a stand-in for `aws status`."""

    def __init__(self, program, vault, size, place):
        self.program, self.vault, self.size, self.place = program, vault, size, Path(place)
        self.place.mkdir(exist_ok=True)
        self.log = open(self.place / "stderr", "w+")
        self.processes = []
        # Later than any step that is taken otherwise.
        self.time, self.turn = int(time.time()) + 86_400, 0
        # Nothing of the environment goes along but where programs are.
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(place), "XDG_RUNTIME_DIR": str(place),
                            "VMFA_HOME": f"{place}/vmfa", "VMFA_VAULT": vault}
        if vault == "age":
            self.environment["VMFA_IDENTITY_FILE"] = f"{place}/identity"

    def __enter__(self):
        try:
            if self.vault == "keyring":
                self.open_keyring()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.stdin.close()
            process.wait()
        self.log.close()

    def keep(self, command):
        """Start a program that ends when its stdin is closed, and tell the first line that it prints."""
        process = subprocess.Popen(command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.processes.append(process)
        line = process.stdout.readline().decode()
        if not line:
            self.failed(command)
        return line

    def open_keyring(self):
        inside = 'printf pw | gnome-keyring-daemon --unlock --components=secrets >&2; echo "$DBUS_SESSION_BUS_ADDRESS"; cat >&2'
        address = self.keep(["dbus-run-session", "--", "sh", "-c", inside])
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = address.strip()

    def serve(self):
        """A stand-in that is the same each time, and its keys."""
        state = ["--state", str(self.place / "account")]
        ready = json.loads(self.keep([self.program, "serve", "--json", "--time", "virtual", "--exit-with-stdin", *state]))
        self.environment.update(AWS_ENDPOINT_URL=ready["endpoint"], AWS_DEFAULT_REGION="us-east-1",
                                AWS_ACCESS_KEY_ID=ready["access_key_id"], AWS_SECRET_ACCESS_KEY=ready["secret_access_key"])

    def fill(self):
        """Add all devices, and tell how long that took, in seconds."""
        if self.vault == "age":
            self.run(["init", "--vault", "age", "--new-identity", f"{self.place}/identity"])
        file = self.place / "uris"
        file.touch(0o600)
        took = 0
        for begin in range(1, self.size + 1, AT_ONCE):
            numbers = range(begin, min(begin + AT_ONCE, self.size + 1))
            file.write_text("".join(f"otpauth://totp/ci:{number:06}?secret={secret()}&issuer=ci\n" for number in numbers))
            took += self.run(["import", str(file)])[0] / 1000
        file.unlink()
        return took

    def failed(self, command):
        self.log.seek(0)
        sys.exit(f"benches/scale: {' '.join(command)} failed: {self.log.read().strip()}")

    def run(self, arguments, given=b"", program=None, source=None):
        """Wall clock and CPU time of a process, in milliseconds."""
        command = [program or self.program, *arguments]
        begin = time.perf_counter()
        process = subprocess.Popen(command, env=self.environment, stdin=source or subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, stderr=self.log)
        if not source:
            process.stdin.write(given)
            process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            self.failed(command)
        return wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000

    def later(self):
        """A time whose step nobody had yet, so that there is a code at once."""
        self.time += 30
        return ["--at", str(self.time)]

    def next(self):
        """One of a few devices, another each time, all over the home."""
        self.turn += 1
        return name(self.turn % AMONG * self.size // AMONG + 1)

    def lease(self, pool):
        return self.run(["code", pool, "--fresh", *self.later()])

    def one(self, command):
        """Run a command once."""
        if command == "code NAME":
            return self.run(["code", self.next(), *self.later()])
        if command == LEASE:
            return self.lease("ci/*")
        if command == "add":
            return self.run(["add", "one-more", "-"], secret().encode())
        if command == "remove":
            return self.run(["remove", "one-more"])
        return self.run(command.split())


def measured(home, seconds, most, commands):
    """The times of some commands, taking turns."""
    groups = [group for group in GROUPS if set(group) <= set(commands)]
    times = {command: [] for group in groups for command in group}

    def spent(group):
        return sum(wall for command in group for wall, _ in times[command]) / 1000

    def once(group):
        for command in group:
            times[command].append(home.one(command))

    def wanted(group):
        runs = len(times[group[0]])
        return runs < (LEAST if spent(group) < 2 * seconds else 1) or (runs < most and spent(group) < seconds)

    # To warm up; a run that took long is one of those that count.
    for group in groups:
        once(group)
        if spent(group) < seconds:
            once(group)
            for command in group:
                times[command].clear()
    while due := [group for group in groups if wanted(group)]:
        for group in due:
            once(group)
    return times


def by_turns(runs, first, second):
    """How long two take that take turns, after a warm-up: medians, and how both compare in words."""
    times = ([], [])
    for number in range(WARM + runs):
        for mine, one in zip(times, (first, second)):
            time = one()
            if number >= WARM:
                mine.append(time)
    (ours, our_cpu), (theirs, their_cpu) = ([statistics.median(column) for column in zip(*mine)] for mine in times)
    words = f"{ours:.1f} ms beside {theirs:.1f} ms, {ours / theirs:.2f} x (CPU time: {our_cpu:.1f} ms, {their_cpu:.1f} ms)"
    return ours / theirs, words


def bar(words, met, figure):
    print(f"{words}: {figure}" + ("" if met else "  missed"), flush=True)
    return {"bar": words, "met": met, "figure": figure}


def bars(home, times, runs):
    """What is held in a home of this size."""
    held = []
    if home.size == 10_000:
        took = statistics.median(wall for wall, _ in times["list"])
        held.append(bar(f"`list` of 10,000 devices under {LIST_BAR} ms", took < LIST_BAR, f"{took:.1f} ms"))
        file = home.place / "secret"
        file.touch(0o600)
        file.write_text(secret())

        def peer():
            with file.open() as source:
                return home.run(["--totp", "-b", "-"], program="oathtool", source=source)

        ratio, figure = by_turns(runs, lambda: home.one("code NAME"), peer)
        held.append(bar(f"`code` among 10,000 devices at most {PEER_BAR} x oathtool", ratio <= PEER_BAR, figure))
    if home.size == 1_000:
        ratio, figure = by_turns(runs, lambda: home.lease("ci/*"), lambda: home.lease(name(1) + "*"))
        held.append(bar(f"a lease from a pool of 1,000 at most {POOL_BAR} x one from a pool of one", ratio <= POOL_BAR, figure))
    return held


def machine(program):
    """What it was measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    version = subprocess.run([program, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    return {"model": models[0] if models else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release().split("-")[0], "date": datetime.date.today().isoformat(), "version": version}


def fill(program, vault, size, place, leased):
    """Fill a home, lease from all of its devices, since the first code of each takes longer, and tell what that took."""
    with Home(program, vault, size, place) as home:
        took = {"vault": vault, "devices": size, "import_s": home.fill()}
        for _ in range(AMONG):
            home.run(["code", home.next()])
        # So that `aws status` has a device to find.
        home.serve()
        home.run(["aws", "enable", "--user", "administrator", "--jump"])
        if leased:
            took["first_lease_s"], took["first_lease_cpu_s"] = (time / 1000 for time in home.lease("ci/*"))
    return took


def prepare(program, vault, size, place, leased):
    """Fill a home on the disk; a large one in memory, because the first code of each device waits for the disk."""
    print(f"{TITLES[vault]}, {size:,} devices: ", end="", flush=True)
    in_memory = size > ON_DISK and os.access(MEMORY, os.W_OK)
    if in_memory:
        with tempfile.TemporaryDirectory(prefix="vmfa-scale-", dir=MEMORY) as memory:
            took = fill(program, vault, size, f"{memory}/home", leased)
            shutil.copytree(f"{memory}/home", place, ignore=shutil.ignore_patterns("keyring", "control"))
        os.sync()
    else:
        took = fill(program, vault, size, place, leased)
    lease = f", the first lease of all in {took['first_lease_s']:.2f} s" if leased else ""
    print(f"filled in {took['import_s']:.1f} s{lease}{' (in memory)' if in_memory else ''}", flush=True)
    return took


def bearable(result, vault, size, limit):
    """The commands of which one run won't take longer than the limit, if they grow as the number of devices does."""
    fills = [fill for fill in result["fills"] if fill["vault"] == vault]
    if not fills:
        return COMMANDS
    smaller = fills[-1]["devices"]
    rows = [row for row in result["results"] if (row["vault"], row["devices"]) == (vault, smaller)]
    commands = [row["command"] for row in rows if row["cpu_ms"] / 1000 * size / smaller <= limit]
    if fills[-1].get("first_lease_cpu_s", limit) * size / smaller > limit:
        commands = [command for command in commands if command != LEASE]
    return commands


def measure(options, vault, size, place, result):
    """Add the rows of a vault and a size, and the bars that are held there."""
    seconds, most, turns = (0.5, 5, 9) if options.quick else (6, 31, 41)
    commands = bearable(result, vault, size, options.limit)
    result["fills"].append(prepare(options.program, vault, size, place, LEASE in commands))
    with Home(options.program, vault, size, place) as home:
        home.serve()
        # After the lease that filled it.
        home.time += 3_600
        times = measured(home, seconds, most, commands)
        for command, taken in times.items():
            walls, cpu = ([time[column] for time in taken] for column in (0, 1))
            result["results"].append({
                "vault": vault, "devices": size, "command": command, "runs": len(taken),
                "median_ms": statistics.median(walls), "minimum_ms": min(walls), "cpu_ms": statistics.median(cpu),
            })
        if vault == "age":
            result["bars"] += bars(home, times, turns)


def table(rows):
    """Commands by sizes, of one vault."""
    sizes = sorted({row["devices"] for row in rows})
    figures = {(row["command"], row["devices"]): row for row in rows}
    wide = max(map(len, COMMANDS))
    for what, show, column in (
        ("wall clock in ms, median (minimum)", lambda row: f"{row['median_ms']:,.1f} ({row['minimum_ms']:,.1f})", "median_ms"),
        ("CPU time in ms, median", lambda row: f"{row['cpu_ms']:,.1f}", "cpu_ms"),
    ):
        print(f"\n{TITLES[rows[0]['vault']]}: {what}")
        print(" " * wide, *(f"{size:>19,}" for size in sizes), f"{'growth':>9}")
        for command in COMMANDS:
            cells = [figures.get((command, size)) for size in sizes]
            growth = f"{cells[-1][column] / max(cells[0][column], 0.001):.1f} x" if cells[-1] else "-"
            print(f"{command:{wide}}", *(f"{show(cell) if cell else '-':>19}" for cell in cells), f"{growth:>9}")
    print(flush=True)


def draw(result, directory, column):
    """A picture for each vault that was measured at more than one size."""
    directory.mkdir(parents=True, exist_ok=True)
    for vault, title in TITLES.items():
        rows = [row for row in result["results"] if row["vault"] == vault]
        if len({row["devices"] for row in rows}) > 1:
            lines = {command: [] for command in COMMANDS}
            for row in rows:
                lines[row["command"]].append((row["devices"], row[column]))
            what = "the CPU time of vmfa alone" if column == "cpu_ms" else "the wall clock"
            (directory / f"scale-{vault}.svg").write_text(scale_svg.picture(title, what, lines, result["machine"]))


def arguments():
    parser = argparse.ArgumentParser(description="How the cost of commands grows with the number of devices")
    parser.add_argument("program", nargs="?", help="the vmfa to measure")
    parser.add_argument("--sizes", type=lambda text: sorted(map(int, set(text.split(",")))), help="such as 10,1000")
    parser.add_argument("--only", choices=list(SIZES), help="one of the two vaults")
    parser.add_argument("--quick", action="store_true", help="small sizes and few runs, to see that it works")
    parser.add_argument("--limit", type=float, default=60, metavar="SECONDS",
                        help="leave out what would take more CPU time a run (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--svg", type=Path, metavar="DIRECTORY", help="draw pictures there")
    parser.add_argument("--cpu", action="store_const", dest="column", const="cpu_ms", default="median_ms",
                        help="draw CPU time rather than the wall clock, for a machine that is busy")
    parser.add_argument("--draw", type=Path, metavar="FILE", help="measure nothing, take the figures of this --json file")
    parser.add_argument("--directory", default="/var/tmp", help="where the homes are, on a disk (default: %(default)s)")
    options = parser.parse_args()
    if not options.draw and not options.program:
        parser.error("name the program to measure")
    return options


def main():
    options = arguments()
    # Homes are deleted then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("benches/scale: ended by SIGTERM"))
    if options.draw:
        draw(json.loads(options.draw.read_text()), options.svg or Path(), options.column)
        return
    options.program = str(Path(options.program).resolve())
    vaults = [options.only] if options.only else list(SIZES)
    needed = ["oathtool"] * ("age" in vaults) + ["dbus-run-session", "gnome-keyring-daemon"] * ("keyring" in vaults)
    if missing := [program for program in needed if not shutil.which(program)]:
        sys.exit(f"benches/scale: {missing[0]} is missing")
    if os.getloadavg()[0] > 1:
        print("benches/scale: the machine is busy; compare CPU time rather than the wall clock", file=sys.stderr)
    result = {"machine": machine(options.program), "fills": [], "results": [], "bars": []}
    # All homes are deleted at the end: ext4 looks past inodes that were freed a moment ago, one by one.
    with tempfile.TemporaryDirectory(prefix="vmfa-scale-", dir=options.directory) as place:
        for vault in vaults:
            for size in options.sizes or (QUICK if options.quick else SIZES)[vault]:
                measure(options, vault, size, Path(place) / f"{vault}-{size}", result)
                if options.json:
                    options.json.write_text(json.dumps(result, indent=1) + "\n")
            table([row for row in result["results"] if row["vault"] == vault])
    if options.svg:
        draw(result, options.svg, options.column)
    if missed := [bar["bar"] for bar in result["bars"] if not bar["met"]]:
        sys.exit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
