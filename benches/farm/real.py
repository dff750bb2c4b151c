"""The real program at work: workers that ask a pool in PostgreSQL, each question a process of its own."""

from __future__ import annotations

import base64
import concurrent.futures
import hashlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.parse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from model import Farm, Result, Terms, Thoughts

PASSWORD = "farm"  # noqa: S105 - of a server that ends with this script
NOBODY = 65_534


class Server:
    """A PostgreSQL server in a temporary directory, as tests/it/support/postgres.rs starts it."""

    def __init__(self) -> None:
        """Make its data, and start it."""
        self.home = Path(tempfile.mkdtemp(prefix="vmfa-farm-"))
        try:
            self.process = self.start()
        except BaseException:
            shutil.rmtree(self.home, ignore_errors=True)
            raise

    def start(self) -> subprocess.Popen[bytes]:
        """Make its data, and start it."""
        data, password = self.home / "data", self.home / "password"
        data.mkdir()
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (self.home, data, password):
                os.chown(path, NOBODY, NOBODY)
        made = subprocess.run(
            [*self.command("initdb"), "--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--username=postgres",
             f"--pwfile={password}", f"--pgdata={data}"],
            capture_output=True, text=True,
        )  # fmt: skip
        if made.returncode:
            raise SystemExit(made.stderr)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        with (data / "postgresql.conf").open("a") as file:
            file.write(f"\nlisten_addresses = '127.0.0.1'\nport = {self.port}\n")
            # Compiling a question takes longer than answering it, and depends on what the server knows of its tables.
            file.write(f"unix_socket_directories = '{self.home}'\njit = off\n")
        with (self.home / "log").open("w") as log:
            process = subprocess.Popen([*self.command("postgres"), "-D", data], stdout=log, stderr=log)
        begin = time.monotonic()
        ready = data / "postmaster.pid"
        while not (ready.exists() and ready.read_text().splitlines()[7:8] == ["ready   "]):
            if process.poll() is not None or time.monotonic() - begin > 60:
                process.kill()
                raise SystemExit((self.home / "log").read_text())
            time.sleep(0.05)
        return process

    @staticmethod
    def command(name: str) -> list[str]:
        """A program of the server, as a user whom it lets run it."""
        found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        if not found:
            raise SystemExit(f"{name} is missing (Debian package `postgresql`)")
        if os.geteuid() != 0:
            return [str(found[-1])]
        return [
            "setpriv",
            f"--reuid={NOBODY}",
            f"--regid={NOBODY}",
            "--clear-groups",
            "--pdeathsig=KILL",
            str(found[-1]),
        ]

    @property
    def url(self) -> str:
        """Its database, with the password."""
        return f"postgres://postgres:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> Server:
        """Use it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and delete its data."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


@dataclass
class Answer:
    """What became of a question."""

    asked: float
    answered: float
    code: dict[str, Any] | None
    """None where it was refused: no code within the timeout."""


class Fleet:
    """Devices of one registry, and the program that asks for their codes."""

    def __init__(self, program: str, registry: str, place: Path) -> None:
        """Make the registry, with the shared vault, in an empty database."""
        self.program, self.place = program, place
        parts = urllib.parse.urlsplit(registry)
        address = (
            parts._replace(netloc=f"{parts.username}@{parts.netloc.rpartition('@')[2]}") if parts.username else parts
        )
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(place),
            "VMFA_HOME": str(place / "home"),
            "VMFA_IDENTITY_FILE": str(place / "identity"),
        }
        if parts.password is not None:
            self.environment["PGPASSWORD"] = urllib.parse.unquote(parts.password)
        identity = ["--new-identity", str(place / "identity")]
        self.run("init", "--vault", "shared", "--registry", urllib.parse.urlunsplit(address), *identity)

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Run the program, which has to succeed."""
        done = subprocess.run(
            [self.program, *arguments], env=self.environment, input=stdin, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"vmfa {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def add(self, pool: str, devices: int, period: int) -> None:
        """Add a pool. Each device gives one code, so that what is done once is done."""
        uris = "".join(
            f"otpauth://totp/{number:04}?secret={secret(f'{self.place} {pool} {number}')}&period={period}\n"
            for number in range(devices)
        )
        self.run("add", f"{pool}/", "-", "--no-code", stdin=uris)
        for device in json.loads(self.run("list", f"{pool}/*", "--json"))["devices"]:
            self.run("code", device["name"])

    def ask(self, pool: str, terms: Terms, stop: threading.Event | None = None) -> Answer | None:
        """Ask a pool for a code, as a process. None where `stop` ended it."""
        command = [self.program, "code", f"{pool}/*", "--fresh", "--json", "--timeout", f"{terms.timeout}s"]
        if terms.window:
            command += ["--window", str(terms.window)]
        if terms.min_validity:
            command += ["--min-validity", f"{terms.min_validity}s"]
        asked = time.monotonic()
        process = subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while True:
            try:
                stdout, stderr = process.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                if stop is not None and stop.is_set():
                    process.terminate()
                    process.communicate()
                    return None
        answered = time.monotonic()
        if process.returncode == 0:
            return Answer(asked, answered, json.loads(stdout))
        if '"no-free-step"' in stdout + stderr:
            return Answer(asked, answered, None)
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {stdout}{stderr}")

    def latency(self, pool: str, times: int = 12, at_once: int = 8) -> tuple[float, float]:
        """What a code takes that needn't be waited for; and how many such requests the machine does at once."""
        terms = Terms(period=30, window=4)

        def seconds(_: int) -> float:
            answer = self.ask(pool, terms)
            if answer is None or answer.code is None:
                raise SystemExit("the latency can't be measured")
            return answer.answered - answer.asked

        alone = statistics.median(map(seconds, range(times)))
        with concurrent.futures.ThreadPoolExecutor(at_once) as executor:
            begin = time.monotonic()
            list(executor.map(seconds, range(at_once * 3)))
            crowded = (time.monotonic() - begin) / (at_once * 3)
        return alone, max(alone / crowded, 1)


def secret(seed: str) -> str:
    """The secret of a device; nobody's."""
    return base64.b32encode(hashlib.sha1(seed.encode()).digest()).decode()  # noqa: S324 - no signature


@dataclass
class Measured:
    """What the workers saw."""

    result: Result
    begin: float
    """When the workers began, in seconds since 1970."""
    doubled: int = 0
    """Codes that were given twice."""


def work(fleet: Fleet, pool: str, farm: Farm, seed: int, warm_up: float, seconds: float) -> Measured:
    """Let the workers ask for a while."""
    stop, answers, started = threading.Event(), list[Answer](), time.time()
    begin = time.monotonic() + warm_up
    end = begin + seconds

    def worker(number: int) -> None:
        thoughts = Thoughts(seed, number, farm.think)
        while not stop.wait(thoughts.next()):
            answer = fleet.ask(pool, farm.terms, stop)
            if answer is not None:
                answers.append(answer)

    threads = concurrent.futures.ThreadPoolExecutor(farm.workers)
    workers = [threads.submit(worker, number) for number in range(farm.workers)]
    try:
        # Until the end, or until one of them failed.
        failed, _ = concurrent.futures.wait(workers, end - time.monotonic(), concurrent.futures.FIRST_EXCEPTION)
    finally:
        stop.set()
        threads.shutdown()
    for each in failed:
        each.result()
    measured = Measured(Result(seconds, farm.capacity), started)
    for answer in answers:
        if begin <= answer.answered <= end:
            measured.result.refused += answer.code is None
            if answer.code is not None:
                measured.result.waits.append(answer.answered - answer.asked)
    given = Counter(key_of(answer.code) for answer in answers if answer.code is not None)
    measured.doubled = sum(times - 1 for times in given.values())
    return measured


def key_of(code: dict[str, Any]) -> tuple[str, int]:
    """Which code it is: of which device, and of which step."""
    return str(code["device"]), int(code["step"])
