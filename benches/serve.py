"""How quick and how small `vmfa serve` is, beside moto in the same run. Started by benches/serve."""

import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
VMFA, LOAD, MOTO = sys.argv[1:4]
SECONDS = os.environ.get("SECONDS_EACH", "10")
USERS = os.environ.get("USERS", "100000")


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


def start_to_first_answer():
    """From the start of the process to the first answer to a request, in milliseconds."""
    begin = time.perf_counter()
    process, ready = serve()
    host, port = ready["endpoint"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"GET /healthz HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    took = (time.perf_counter() - begin) * 1000
    process.terminate()
    process.wait()
    return took


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


starts = [start_to_first_answer() for _ in range(21)]
print(f"start to first answer: median {statistics.median(starts):.1f} ms, most {max(starts):.1f} ms (bar: 50)")

bar(statistics.median(starts) < 50, "start to first answer under 50 ms")

port = free_port()
moto = subprocess.Popen([MOTO, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
process, ready = serve()
address = ready["endpoint"].removeprefix("http://")
try:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    rounds = []
    for _ in range(3):
        theirs = load(f"127.0.0.1:{port}", "AKIAIOSFODNN7EXAMPLE", "x")
        ours = load(address, ready["access_key_id"], ready["secret_access_key"])
        rounds.append(ours["rate"] / theirs["rate"])
        print(f"GetUser, 8 connections: vmfa {ours}; moto {theirs}; ratio {rounds[-1]:.0f} (bars: 5000, 50, p99 10 ms)")
        bar(ours["rate"] >= 5000, "5,000 requests a second")
        bar(ours["p99_ms"] < 10, "p99 under 10 ms")
    bar(statistics.median(rounds) >= 50, "50 times moto")
finally:
    moto.terminate()
    process.terminate()
    process.wait()

process, ready = serve()
address = ready["endpoint"].removeprefix("http://")
try:
    begin = time.perf_counter()
    subprocess.run([LOAD, "fill", address, ready["access_key_id"], ready["secret_access_key"], USERS], check=True)
    took = time.perf_counter() - begin
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    print(f"{USERS} users with enabled devices, made in {took:.0f} s: at most {peak / 1024:.0f} MiB (bar: 1 GB)")
    bar(peak < 1_000_000, "100,000 users in 1 GB")
    print(f"GetUser among them: {load(address, ready['access_key_id'], ready['secret_access_key'])}")
finally:
    process.terminate()
    process.wait()

if missed:
    sys.exit("missed: " + "; ".join(sorted(set(missed))))
