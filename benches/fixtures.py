"""How long a home and a stand-in take to start, beside moto's server in the same run. Started by benches/fixtures."""

import statistics
import subprocess
import sys
from pathlib import Path

RUNS = 21
BAR = 150
IN_NODE = "vmfa in Node: home and stand-in"

# Each in a new process, until a request is answered. pytest has imported the plugin before the fixtures start; what the
# imports add is told beside it.
VMFA = """
home, server = vmfa.Home(), vmfa.serve()
home.clock = server
now = server.now
"""
MOTO = """
server = ThreadedMotoServer(port=0)
server.start()
urllib.request.urlopen("http://%s:%s/moto-api/" % server.get_host_and_port()).read()
"""
NODE = """
const { Home, serve } = require("vmfa");
const { performance } = require("node:perf_hooks");
(async () => {
  const start = performance.now();
  const [home, server] = await Promise.all([Home.open(), serve()]);
  home.clock = server;
  await server.now();
  console.log(performance.now() - start);
})();
"""
CASES = {
    "vmfa: home and stand-in, with imports": ("", "import vmfa\n" + VMFA),
    "vmfa: home and stand-in": ("import vmfa", VMFA),
    "moto: server, with imports": ("", "import urllib.request\nfrom moto.server import ThreadedMotoServer\n" + MOTO),
    "moto: server": ("import urllib.request\nfrom moto.server import ThreadedMotoServer", MOTO),
}


def in_node() -> float:
    """Do the same in a new process of Node."""
    place = Path(__file__).parents[1] / "integrations" / "node"
    done = subprocess.run(["node", "-e", NODE], cwd=place, stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def milliseconds(before: str, measured: str) -> float:
    """Run both in a new process, and tell how long the second took."""
    script = (
        f"import time\n{before}\nstart = time.perf_counter()\n{measured}\nprint((time.perf_counter() - start) * 1000)"
    )
    script += "\nimport sys; sys.stdout.flush()"
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measure all by turns, so that whatever else the machine does meets all."""
    times = {name: [] for name in [*CASES, IN_NODE]}
    for _ in range(RUNS):
        for name, case in CASES.items():
            times[name].append(milliseconds(*case))
        times[IN_NODE].append(in_node())
    for name, measured in times.items():
        print(f"{name}: median {statistics.median(measured):.0f} ms, fastest {min(measured):.0f} ms")
    if max(statistics.median(times[name]) for name in ("vmfa: home and stand-in", IN_NODE)) > BAR:
        sys.exit(f"missed: the fixtures start in at most {BAR} ms")


if __name__ == "__main__":
    main()
