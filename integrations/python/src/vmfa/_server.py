"""The stand-in for AWS IAM and STS."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import socket
import subprocess
import tempfile
import time as time_of
import urllib.parse
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import Any

from ._binary import Duration, binary, duration, failure
from .errors import Error, ServerError, UsageError, moment

# pytest shows the arguments of the functions in a traceback, and those here may be secrets.
__tracebackhide__ = True

_PATIENCE = 30.0
_ENDING = 6.0


@dataclass(frozen=True)
class Credentials:
    """Keys of a user, or of a session."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        """Name the key, and keep the secret to itself."""
        return f"Credentials({self.access_key_id!r})"


@dataclass(frozen=True)
class Event:
    """A call that the stand-in answered, and why as it did."""

    number: int
    time: datetime
    request_id: str
    service: str
    action: str
    outcome: str
    """`accepted`, `refused`, or `passed` (to another service)."""
    status: int | None = None
    principal: str | None = None
    app: str | None = None
    """The application ID of the client (`AWS_SDK_UA_APP_ID`)."""
    code: str | None = None
    message: str | None = None
    why: str | None = None
    """What AWS doesn't tell."""

    def __str__(self) -> str:
        """Give one line for a report."""
        said = ": ".join(part for part in (self.code, self.message) if part)
        parts = [f"{self.time:%H:%M:%S}", f"{self.service}:{self.action or '?'}", self.outcome]
        parts += [f"by {self.principal}"] if self.principal else []
        lines = [" ".join(parts), *([f"    {said}"] if said else []), *([f"    why: {self.why}"] if self.why else [])]
        # A client may have sent anything, and a report is read on a terminal.
        return "\n".join(map(_plain, lines))

    @classmethod
    def _of(cls, answer: Mapping[str, Any]) -> Event:
        known = {field.name for field in fields(cls)}
        values = {key: value for key, value in answer.items() if key in known}
        return cls(**{**values, "time": moment(answer["time"])})


class Server:
    """A stand-in: one AWS account with IAM and STS, which checks codes, signatures and policies.

    It ends with `close`, at the end of a `with` block, or with this process, even if that is killed.
    """

    endpoint: str
    """Its URL."""
    console_url: str
    """Where its console is, for browsers."""
    account: str
    """The number of the account."""
    region: str
    credentials: Credentials
    """Those of the user `administrator`, who may do everything."""
    users: Mapping[str, Credentials]
    """Those of a scenario's users."""
    is_virtual: bool
    """Whether its time stands until it is moved."""
    pid: int

    def __init__(self, ready: Mapping[str, Any], process: subprocess.Popen[bytes] | None = None) -> None:
        """Know a server by the line that it printed; with its process, it is this one's to end."""
        self._ready = dict(ready)
        self.endpoint, self.console_url, self.account = ready["endpoint"], ready["console"], ready["account"]
        self.region, self.pid, self.is_virtual = ready["region"], ready["pid"], ready["time"] == "virtual"
        self.credentials = _keys(ready)
        users = {name: _keys(keys) for name, keys in ready.get("users", {}).items()}
        self.users = {"administrator": self.credentials, **users}
        if "root" in ready:
            self.users = {**self.users, "root": _keys(ready["root"])}
        self._finalizer = weakref.finalize(self, _end, process, os.getpid()) if process else None

    def __enter__(self) -> Server:
        """Give the server itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.close()

    def __repr__(self) -> str:
        """Name the place."""
        return f"Server({self.endpoint!r})"

    def close(self) -> None:
        """End it, and wait until it has ended."""
        if self._finalizer is not None:
            self._finalizer()

    @property
    def env(self) -> dict[str, str]:
        """What the AWS CLI and SDKs need in their environment, as the administrator."""
        return self.env_of()

    def env_of(self, user: str | Credentials | None = None) -> dict[str, str]:
        """Give the environment for a user of the scenario, or for other keys."""
        keys = self._keys_of(user)
        token = {"AWS_SESSION_TOKEN": keys.session_token} if keys.session_token else {}
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            **token,
        }

    def boto3(self, service: str, user: str | Credentials | Mapping[str, Any] | None = None) -> Any:
        """Make a boto3 client: for a user of the scenario, for other keys, or else for the administrator.

        Keys are `Credentials`, or the `Credentials` or `AccessKey` that boto3 returned.
        """
        try:
            import boto3
        except ImportError:
            raise UsageError("no-boto3", "boto3 is not installed", ["pip install boto3"]) from None
        keys = self._keys_of(user)
        session = boto3.session.Session(
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token,
            region_name=self.region,
        )
        return session.client(service, endpoint_url=self.endpoint)

    @property
    def now(self) -> datetime:
        """Its time."""
        return moment(self._ask("GET", "/_vmfa/time")["time"])

    def advance(self, by: Duration) -> datetime:
        """Move virtual time on, and give the new one."""
        return self._move({"advance": duration(by)})

    def set_time(self, to: datetime) -> datetime:
        """Move virtual time on to a moment, and give it."""
        # The server keeps milliseconds; a moment between two is reached at the later one.
        up = timedelta(microseconds=-to.microsecond % 1000)
        text = (to + up).astimezone(timezone.utc).isoformat(timespec="milliseconds")
        return self._move({"set": text.replace("+00:00", "Z")})

    def reach(self, moment: datetime) -> None:
        """Move virtual time on to a moment that isn't over, or wait for it on real time."""
        left = (moment - self.now).total_seconds()
        if left > 0 and self.is_virtual:
            self.set_time(moment)
        elif left > 0:
            time_of.sleep(left)

    def events(self, after: int = 0) -> list[Event]:
        """Tell what was accepted and refused, and why; only after an event's number, if one is given."""
        told: list[Event] = []
        while page := self._ask("GET", f"/_vmfa/events?after={told[-1].number if told else after}")["events"]:
            told += map(Event._of, page)
        return told

    def count(self) -> int:
        """Tell how many events there were: the number of the last one."""
        return int(self._ask("GET", "/_vmfa/events?limit=0")["count"])

    def wait_for_end(self, seconds: float = _ENDING) -> bool:
        """Wait until nobody answers any more, at most for so long."""
        place = urllib.parse.urlsplit(self.endpoint)
        end = time_of.monotonic() + seconds
        while time_of.monotonic() < end:
            try:
                socket.create_connection((place.hostname or "", place.port or 0), 1).close()
            except OSError:
                return True
            time_of.sleep(0.02)
        return False

    def is_alive(self) -> bool:
        """Tell whether it answers."""
        try:
            self._ask("GET", "/_vmfa/time")
        except (OSError, Error):
            return False
        return True

    def _move(self, body: Mapping[str, str]) -> datetime:
        if not self.is_virtual:
            hints = ["start it with time=virtual (pytest: `vmfa_time = virtual`)"]
            raise UsageError("real-time", f"{self.endpoint} runs on real time, which can't be moved", hints)
        return moment(self._ask("POST", "/_vmfa/time", json.dumps(body))["time"])

    def _ask(self, method: str, path: str, body: str | None = None) -> Any:
        place = urllib.parse.urlsplit(self.endpoint)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            value = json.loads(answer.read())
        if answer.status != 200:
            error = value.get("error", {})
            # What the stand-in calls a bad request is an argument of the caller's.
            kind = UsageError if answer.status == 400 else ServerError
            raise kind(error.get("code", "stand-in"), error.get("message", f"{path}: status {answer.status}"))
        return value

    def _keys_of(self, user: str | Credentials | Mapping[str, Any] | None) -> Credentials:
        if user is None:
            return self.credentials
        if isinstance(user, Credentials):
            return user
        if isinstance(user, str):
            if user not in self.users:
                hints = [
                    'pass the key itself: iam.create_access_key(UserName=…)["AccessKey"]',
                    "in a scenario, `access_key = true` gives a user a key",
                    f"users whose keys came with the stand-in: {', '.join(self.users)}",
                ]
                raise UsageError("no-keys", f"the stand-in started without an access key for `{user}`", hints)
            return self.users[user]
        return Credentials(user["AccessKeyId"], user["SecretAccessKey"], user.get("SessionToken"))


def serve(
    scenario: str | os.PathLike[str] | None = None,
    time: str = "virtual",
    upstream: str | None = None,
    *,
    listen: str | None = None,
    account: str | None = None,
    alias: str | None = None,
    state: str | os.PathLike[str] | None = None,
) -> Server:
    """Start a stand-in, as `vmfa serve` does: `with vmfa.serve() as server: ...`.

    `time` is `virtual`, `virtual=2030-01-01T00:00:00Z`, or `real`. `scenario` is a TOML file (docs/serve.md),
    `upstream` the URL of a server for other services, such as moto, `state` a directory to keep the account in.
    """
    options = {"scenario": scenario, "time": time, "upstream": upstream, "listen": listen, "account": account}
    process, ready = start({**options, "alias": alias, "state": state}, subprocess.PIPE)
    return Server(ready, process)


def start(
    options: Mapping[str, str | os.PathLike[str] | None], lifeline: int
) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    """Start a server that ends when `lifeline` does, its stdin; give its process and the line that it prints."""
    given = [word for name, value in options.items() if value is not None for word in (f"--{name}", os.fspath(value))]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("VMFA_")}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [binary(), "serve", "--json", "--exit-with-stdin", *given],
            env=environment,
            stdin=lifeline,
            stdout=subprocess.PIPE,
            stderr=said,
            # Ctrl-C is for the tests, which end it afterwards.
            start_new_session=True,
        )
        _RUNNING.add(process)
        assert process.stdout is not None
        try:
            readable, _, _ = select.select([process.stdout], [], [], _PATIENCE)
            line = process.stdout.readline() if readable else b""
            if line:
                ready: dict[str, Any] = json.loads(line)
                process.stdout.close()
                return process, ready
            if not readable:
                raise ServerError("stand-in", f"`vmfa serve` isn't ready after {_PATIENCE:.0f} s")
            process.wait(_ENDING)
            said.seek(0)
            raise failure(said.read(), process.returncode)
        except BaseException:
            _end(process, os.getpid())
            raise


_RUNNING: weakref.WeakSet[subprocess.Popen[bytes]] = weakref.WeakSet()


def _let_go() -> None:
    """Close what a fork inherited: a child that outlives its parent would keep servers alive."""
    for process in _RUNNING:
        if process.stdin is not None:
            process.stdin.close()


os.register_at_fork(after_in_child=_let_go)


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """End a server by its lifeline; a fork of the process that started it only lets go of it."""
    if process.stdin is not None:
        process.stdin.close()
    if process.stdout is not None:
        process.stdout.close()
    if owner != os.getpid():
        return
    for harder in (process.terminate, process.kill, None):
        try:
            process.wait(_ENDING)
            return
        except subprocess.TimeoutExpired:
            if harder is not None:
                harder()


def _plain(text: str) -> str:
    """Write characters that a terminal obeys, or that turn its lines around, as escapes."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _keys(answer: Mapping[str, Any]) -> Credentials:
    return Credentials(answer["access_key_id"], answer["secret_access_key"])
