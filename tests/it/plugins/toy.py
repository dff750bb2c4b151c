#!/usr/bin/env python3
"""A plugin of age for tests: it "seals" by writing the file key into the stanza.

How it behaves is what follows `age-plugin-` in its name, or TOY where it opens files.
"""

import base64
import os
import pathlib
import subprocess
import sys
import time

home = pathlib.Path(sys.argv[0]).parent
machine = next(a.removeprefix("--age-plugin=") for a in sys.argv[1:] if a.startswith("--age-plugin="))
behaviour = pathlib.Path(sys.argv[0]).name.removeprefix("age-plugin-")
if machine == "identity-v1":
    behaviour = os.environ.get("TOY", behaviour)


def read():
    words = sys.stdin.readline().split()
    if not words:
        sys.exit(0)
    body = ""
    while len(line := sys.stdin.readline().rstrip("\n")) == 64:
        body += line
    body += line
    return words[1:], base64.b64decode(body + "=" * (-len(body) % 4))


def write(*words, body=b""):
    encoded = base64.b64encode(body).decode().rstrip("=")
    lines = [encoded[start : start + 64] for start in range(0, len(encoded) + 1, 64)]
    sys.stdout.write("-> " + " ".join(words) + "\n" + "\n".join(lines) + "\n")
    sys.stdout.flush()


def say(*words, body=b""):
    write(*words, body=body)
    return read()


def log(text):
    with open(home / "log", "a") as file:
        file.write(text + "\n")


def zombies():
    """Processes of the same parent that ended, and that it hasn't looked after."""
    for process in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = process.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if parent == str(os.getppid()) and state == "Z":
            yield process


if behaviour == "deaf":
    # A child that holds the pipes outlives it.
    subprocess.Popen(["sleep", "60"])
    time.sleep(60)

keys, given = [], 0
while True:
    words, body = read()
    if words[0] == "done":
        break
    given += words[0] in ("add-recipient", "add-identity")
    if words[0] == "wrap-file-key":
        keys.append(body)
    if words[0] == "recipient-stanza" and words[2] == "toy":
        keys.append(body)
    if words[0] in ("add-recipient", "add-identity"):
        log(f"{machine} {words[0]} {words[1]}")

if not keys:
    write("done")
    sys.exit(0)

for _ in zombies():
    log("zombie")


def confirmed():
    """Everything that a plugin can ask for, with a word that isn't known."""
    b64 = lambda text: base64.b64encode(text.encode()).decode().rstrip("=")
    say("msg", body=b"hello from the toy \x1b[31m")
    unknown, _ = say("something-new", "x", body=b"y")
    public, shown = say("request-public", body=b"which slot?")
    yes, _ = say("confirm", b64("use it"), b64("leave it"), body=b"use the key?")
    log(f"{unknown} {public} {shown} {yes}")
    return public == ["ok"] and shown == b"9a" and yes == ["ok", "yes"]


match behaviour:
    case "hang":
        time.sleep(60)
    case "dies":
        sys.exit(3)
    case "nonsense":
        print("Welcome to the toy", flush=True)
        read()
    case "endless":
        while True:
            sys.stdout.write("-> msg" + " a" * 10_000)
    case "chatty":
        while True:
            say("msg", body=b"x" * 1000)
    case "empty":
        write("done")
        sys.exit(0)
    case "half":
        say("recipient-stanza" if machine == "recipient-v1" else "file-key", "0", "toy")
        sys.exit(1)
    case "twice":
        say("labels", "a")
        say("labels", "b")
    case "error":
        say("error", "internal", body=b"the card is not there")
        write("done")
        sys.exit(0)
    case "asks":
        if not confirmed():
            say("error", "internal", body=b"nobody confirmed it")
            write("done")
            sys.exit(0)
    case "pin" if machine == "identity-v1":
        answer, secret = say("request-secret", body=b"PIN of card 7:")
        log(f"{answer[0]} {secret.decode()}")
        if secret == b"0000":
            answer, secret = say("request-secret", body=b"PIN of card 7:")
            log(f"{answer[0]} {secret.decode()}")
        if secret != b"1234":
            say("error", "identity", "0", body=b"wrong PIN")
            write("done")
            sys.exit(0)

if machine == "recipient-v1":
    for key in keys:
        say("recipient-stanza", "0", "toy", str(given), body=key)
else:
    say("file-key", "0", body=keys[0])
write("done")
