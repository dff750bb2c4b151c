"""How quick and how small `vmfa serve` is, beside other stand-ins in the same run. Started by benches/serve."""

import hashlib
import hmac
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import time

VMFA, LOAD, MOTO = sys.argv[1:4]
SECONDS = os.environ.get("SECONDS_EACH", "10")
USERS = os.environ.get("USERS", "100000")
# From PyPI: `python3 -m venv DIRECTORY && DIRECTORY/bin/pip install ministack`, then MINISTACK=DIRECTORY/bin/ministack.
MINISTACK = os.environ.get("MINISTACK") or shutil.which("ministack")

BODY = b"Action=GetUser&Version=2010-05-08"


missed = []


def bar(met, words):
    """Notes a bar that isn't met."""
    if not met:
        missed.append(words)


def serve(*arguments):
    process = subprocess.Popen([VMFA, "serve", "--json", *arguments], stdout=subprocess.PIPE)
    return process, json.loads(process.stdout.readline())


def load(address, key, secret):
    return json.loads(subprocess.run([LOAD, "load", address, key, secret, SECONDS], check=True, capture_output=True).stdout)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def authorization(host, date, key, secret):
    """Signature Version 4 of GetUser."""
    digest = hashlib.sha256(BODY).hexdigest()
    canonical = f"POST\n/\n\nhost:{host}\nx-amz-date:{date}\n\nhost;x-amz-date\n{digest}"
    scope = f"{date[:8]}/us-east-1/iam/aws4_request"
    signing = f"AWS4{secret}".encode()
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    for part in [*scope.split("/"), text]:
        signing = hmac.digest(signing, part.encode(), "sha256")
    return f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=host;x-amz-date, Signature={signing.hex()}"


def get_user(port, key="AKIAIOSFODNN7EXAMPLE", secret="x"):
    """Sends GetUser, which has to be answered."""
    host, date = f"127.0.0.1:{port}", time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    head = {"Host": host, "Content-Type": "application/x-www-form-urlencoded", "Content-Length": len(BODY)}
    head |= {"X-Amz-Date": date, "Authorization": authorization(host, date, key, secret)}
    lines = ["POST / HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall("\r\n".join(lines).encode() + BODY)
        answer = connection.recv(4096)
    if b" 200 " not in answer.split(b"\r\n")[0]:
        raise RuntimeError(answer)


def start_to_first_answer(port, *command):
    """From the start of a process to its first answer to GetUser, in milliseconds."""
    return float(subprocess.run([LOAD, "start", port, *command], check=True, capture_output=True).stdout)


def command(name, port):
    """What starts a peer on a port."""
    if name == "moto":
        return [MOTO, "-H", "127.0.0.1", "-p", str(port)]
    return ["env", f"GATEWAY_PORT={port}", MINISTACK]


def peer(name, port):
    """Starts a peer; the process, once it answers GetUser."""
    process = subprocess.Popen(command(name, port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(3_000):
        try:
            get_user(port)
            return process
        except OSError:
            if process.poll() is not None:
                raise
            time.sleep(0.02)
    process.kill()
    raise RuntimeError(f"{name} doesn't answer")


def end(process):
    process.terminate()
    process.wait()


# How often moto's figure is reached; of other peers' nothing is asked.
BARS = {"moto": (120, 200)}
peers = ["moto"]
if MINISTACK:
    peers.append("ministack")
else:
    print("ministack is left out: pip install ministack, then MINISTACK=…/bin/ministack", file=sys.stderr)

starts = {name: [] for name in ["vmfa", *peers]}
for _ in range(5):
    for name in peers:
        port = free_port()
        starts[name].append(start_to_first_answer(str(port), *command(name, port)))
    starts["vmfa"].extend(start_to_first_answer("announced", VMFA, "serve", "--json") for _ in range(5))
ours = statistics.median(starts["vmfa"])
print(f"start to first answer: median {ours:.1f} ms, least {min(starts['vmfa']):.1f} ms (bar: 50)")
bar(ours < 50, "start to first answer under 50 ms")
for name in peers:
    ratio = statistics.median(starts[name]) / ours
    least = BARS.get(name, (0, 0))[1]
    print(f"start to first answer: {name} {statistics.median(starts[name]):.0f} ms; ratio {ratio:.0f} (bar: {least or 'none'})")
    bar(ratio >= least, f"start {least} times quicker than {name}")

process, ready = serve()
address = ready["endpoint"].removeprefix("http://")
for name in peers:
    port = free_port()
    other = peer(name, port)
    try:
        least, rounds = BARS.get(name, (0, 0))[0], []
        for _ in range(3):
            theirs = load(f"127.0.0.1:{port}", "AKIAIOSFODNN7EXAMPLE", "x")
            ours = load(address, ready["access_key_id"], ready["secret_access_key"])
            rounds.append(ours["rate"] / theirs["rate"])
            print(f"GetUser, 8 connections: vmfa {ours}; {name} {theirs}; ratio {rounds[-1]:.0f} (bars: 5000, p99 10 ms, {least or 'none'})")
            bar(ours["rate"] >= 5000, "5,000 requests a second")
            bar(ours["p99_ms"] < 10, "p99 under 10 ms")
        bar(statistics.median(rounds) >= least, f"{least} times {name}")
    except subprocess.CalledProcessError as error:
        print(f"{name} doesn't answer GetUser: {error.stderr[-300:]}", file=sys.stderr)
    finally:
        end(other)
end(process)

# What a request costs may not depend on how many users there are: at most so many times what it costs with ten.
FLAT = 1.3
SIZES = [10, 1_000, int(USERS)]
servers, costs = {}, {users: {} for users in SIZES}
try:
    for users in SIZES:
        process, ready = serve()
        keys = [ready["endpoint"].removeprefix("http://"), ready["access_key_id"], ready["secret_access_key"]]
        servers[users] = process, keys
        begin = time.perf_counter()
        subprocess.run([LOAD, "fill", *keys, str(users)], check=True)
        took = time.perf_counter() - begin
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        print(f"{users:,} users with enabled devices, made in {took:.0f} s: at most {peak / 1024:.0f} MiB (bar: 1 GB)")
        bar(peak < 1_000_000, f"{users:,} users in 1 GB")
        print(f"GetUser among them: {load(*keys)}")
    # On one processor, so that it isn't left to the scheduler whether a server sleeps beside its client or is woken on
    # another processor, which doubles what a small request costs.
    processor = {max(os.sched_getaffinity(0))}
    os.sched_setaffinity(0, processor)
    for process, _ in servers.values():
        for task in os.listdir(f"/proc/{process.pid}/task"):
            os.sched_setaffinity(int(task), processor)
    # In turns, so that whatever else the machine does meets all of them; the least figure counts.
    for _ in range(5):
        for users, (process, keys) in servers.items():
            asked = [LOAD, "costs", *keys, str(users), str(process.pid)]
            for kind, cost in json.loads(subprocess.run(asked, check=True, stdout=subprocess.PIPE).stdout).items():
                costs[users][kind] = min(cost, costs[users].get(kind, cost))
finally:
    for process, _ in servers.values():
        end(process)
print(f"{'CPU time of a request, in µs, with so many users':48}" + "".join(f"{users:>9,}" for users in SIZES) + "    ratio")
for kind in costs[SIZES[0]]:
    figures = [costs[users][kind] for users in SIZES]
    ratio = max(figures) / figures[0]
    print(f"{kind:48}" + "".join(f"{figure:9.1f}" for figure in figures) + f"{ratio:9.2f}")
    bar(ratio <= FLAT, f"{kind} costs at most {FLAT} times as much with {USERS} users")

if missed:
    sys.exit("missed: " + "; ".join(sorted(set(missed))))
