"""A cold `vmfa aws session` beside `aws sts get-session-token`. Started by benches/session."""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
import urllib.request

VMFA, AWS, ROUNDS = os.environ["VMFA"], os.environ["AWS_CLI"], int(os.environ["ROUNDS"])
SERIAL = "arn:aws:iam::123456789012:mfa/mfauser"

# Virtual time: a device has nine attempts in three minutes, and no code is good twice.
server = subprocess.Popen([VMFA, "serve", "--json", "--time", "virtual"], stdout=subprocess.PIPE)
ready = json.loads(server.stdout.readline())
endpoint = ready["endpoint"]
os.environ.update(AWS_ENDPOINT_URL=endpoint, AWS_DEFAULT_REGION="us-east-1", AWS_ACCESS_KEY_ID=ready["access_key_id"],
                  AWS_SECRET_ACCESS_KEY=ready["secret_access_key"], AWS_EC2_METADATA_DISABLED="true")


def advance(seconds):
    body = json.dumps({"advance": f"{seconds}s"}).encode()
    request = urllib.request.Request(endpoint + "/_vmfa/time", body, {"content-type": "application/json"})
    urllib.request.urlopen(request).read()


def run(*command):
    """What it prints, its wall clock and its CPU time, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout.decode(), wall * 1000, cpu * 1000


try:
    run(VMFA, "aws", "enable", "--user", "administrator", "--jump", "--json")
    [device] = json.loads(run(VMFA, "list", "--json")[0])["devices"]
    ours, theirs, cached = [], [], []
    for number in range(ROUNDS + 2):
        advance(180)
        # One that nobody asked for before.
        wanted = ["--duration", f"{3600 + number}s"]
        printed, wall, cpu = run(VMFA, "aws", "session", device["name"], *wanted, "--as", "process")
        assert json.loads(printed)["SessionToken"]
        ours.append((wall, cpu))
        printed, wall, cpu = run(VMFA, "aws", "session", device["name"], *wanted, "--as", "process")
        cached.append((wall, cpu))
        code = run(VMFA, "code", device["name"], "--fresh", "--window", "--clock", endpoint)[0].strip()
        printed, wall, cpu = run(AWS, "sts", "get-session-token", "--serial-number", SERIAL.replace("mfauser", "administrator"),
                                 "--token-code", code, "--output", "json")
        assert json.loads(printed)["Credentials"]["SessionToken"]
        theirs.append((wall, cpu))
    # The first two of each warm the machine up.
    missed = False
    for what, column in (("wall clock", 0), ("CPU", 1)):
        mine, kept, peer = (statistics.median(row[column] for row in rows[2:]) for rows in (ours, cached, theirs))
        ratio = mine / peer
        missed |= ratio > 1 / 20
        print(f"{what}, median of {ROUNDS}: vmfa aws session {mine:.1f} ms (kept: {kept:.1f} ms), "
              f"aws sts get-session-token {peer:.1f} ms, 1/{1 / ratio:.0f} (bar: 1/20)")
    sys.exit(missed)
finally:
    server.kill()
