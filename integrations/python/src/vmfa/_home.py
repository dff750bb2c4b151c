"""A home: devices, their secrets, and what was handed out."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from ._binary import Duration, duration, run
from ._code import Code, SharedDevice, Verdict
from ._scratch import Scratch
from ._server import Server
from .errors import InputError, ServerError, UsageError, moment

# pytest shows the arguments of the functions in a traceback, and those here may be secrets.
__tracebackhide__ = True

Source = str | bytes | os.PathLike[str] | Mapping[str, Any]
"""A path, a picture's bytes, an otpauth URI, a base32 secret, or what boto3's `create_virtual_mfa_device` returns."""

# As the program has it: what might be a secret is no name.
_SECRET = re.compile(r"(?=.*[2-7][A-Z])[A-Z2-7]{16,}=*")

# Ends in a file name with an extension, which no secret key and no URI does.
_FILE_NAME = re.compile(r"(?!.*://)[^\n\0]*[^\n\0/\\.]\.[A-Za-z][A-Za-z0-9]{1,9}")

# What a stand-in that workers share knows their calls by.
_APP = "AWS_SDK_UA_APP_ID"


@dataclass(frozen=True)
class Device:
    """A device of a home."""

    name: str
    issuer: str | None
    account: str
    type: str
    algorithm: str
    digits: int
    period: int | None
    serial_number: str | None
    """Its ARN, where AWS told it."""
    home: Home = field(repr=False, compare=False)

    def code(
        self,
        *,
        fresh: bool = True,
        window: int | bool | None = None,
        timeout: Duration | None = None,
        min_validity: Duration | None = None,
        jump: bool = False,
    ) -> Code:
        """Give a code; see `Home.code`."""
        return self.home.code(self.name, fresh, window, timeout, min_validity, jump=jump)

    def pair(self, *, wait: bool = False, timeout: Duration | None = None, jump: bool = False) -> tuple[Code, Code]:
        """Give two consecutive codes; see `Home.pair`."""
        return self.home.pair(self.name, wait=wait, timeout=timeout, jump=jump)

    def verify(self, *codes: str) -> Verdict:
        """Accept or refuse codes as the service would; see `Home.verify`."""
        return self.home.verify(self.name, *codes)

    def remove(self) -> None:
        """Delete the device and its secret."""
        self.home.remove(self.name)


class Home:
    """An isolated home with its own identity and registry, which nobody else's devices are in.

    Without a path it is a temporary one, deleted by `close`, or at the end of a `with` block. Processes may share one:
    no fresh code is given twice.
    """

    path: Path
    clock: str | Server | None
    """The clock that devices run on: a server (on virtual time), its URL, or an offset such as `+90s`."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        vault: Literal["age", "keyring"] = "age",
        *,
        clock: str | Server | None = None,
    ) -> None:
        """Open the home at this path, or make it."""
        self._scratch = Scratch() if path is None else None
        self.path = self._scratch.path / "home" if self._scratch else Path(os.path.abspath(path or "."))
        self.clock = clock
        self._vault = vault
        self._closed = False
        try:
            self._set_up()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Home:
        """Give the home itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Name the place."""
        return f"Home({str(self.path)!r})"

    def close(self) -> None:
        """Delete a temporary home, with its secrets; one with a path of its own stays."""
        if self._scratch is not None:
            self._scratch.close()
            self._closed = True

    def env(self) -> dict[str, str]:
        """Give the environment for other programs that use this home's devices."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("VMFA_")}
        kept.update({"VMFA_HOME": str(self.path), "VMFA_VAULT": self._vault})
        if isinstance(self.clock, Server):
            if self.clock.is_virtual:
                kept["VMFA_CLOCK"] = self.clock.endpoint
        elif self.clock is not None:
            kept["VMFA_CLOCK"] = self.clock
        return kept

    def add(self, name: str, source: Source, *, replace: bool = False) -> Device:
        """Enrol a device; secrets go by stdin. `replace` takes the place of a device of this name."""
        path, text = _read(source)
        options = ["--no-code", *(["--replace"] if replace else [])]
        answer = self._run(["add", *options, "--", name_of(name), path or "-"], text)
        return self._device(answer["added"][0])

    @contextlib.contextmanager
    def once(self, what: str) -> Iterator[bool]:
        """Let one of several processes set something up: `with home.once("pool") as mine:`.

        `mine` is true for the first one. Others wait until it is done; if it failed, the next one is the first.
        """
        name = hashlib.sha256(what.encode()).hexdigest()
        with locked(self.path / f".once-{name}"):
            done = self.path / f".done-{name}"
            mine = not done.exists()
            yield mine
            if mine:
                done.touch(mode=0o600)

    def enable(self, name: str, server: Server, *, user: str | None = None, wait: bool = True) -> Device:
        """Create a device at a stand-in, for this user or else the administrator, and enable it.

        STS takes its codes some seconds later: virtual time is advanced to then, real time is waited for.
        """
        options = [*([f"--user={user}"] if user else []), *([] if wait else ["--no-wait"])]
        jump = ["--jump"] if server.is_virtual else []
        there = "--device-name=" + name_of(name).replace("/", "-")
        arguments = ["aws", "enable", there, *options, *jump, "--", name]
        try:
            answer = run(arguments, self._at(server))
        except ServerError as error:
            if user is None or f"The user with name {user} cannot be found" not in error.message:
                raise
            hints = [f'create it first: server.boto3("iam").create_user(UserName="{user}")', "or name it in a scenario"]
            raise UsageError("no-such-user", f"the stand-in has no user `{user}`", hints) from None
        if wait and not answer["checked"]:
            # Nobody but the user could have tried.
            server.reach(moment(answer["sessions_from"]))
        return self.device(name)

    def disable(self, name: str, server: Server, *, user: str | None = None) -> None:
        """Deactivate and delete a device at a stand-in, and delete its secret here."""
        options = [*([f"--user={user}"] if user else []), *(["--jump"] if server.is_virtual else [])]
        run(["aws", "disable", "--yes", "--remove", *options, "--", name_of(name)], self._at(server))

    def device(self, name: str) -> Device:
        """Find a device by its name."""
        return self._device(self._run(["show", "--", name_of(name)]))

    def devices(self) -> list[Device]:
        """List all devices."""
        return [self._device(one) for one in self._run(["list"])["devices"]]

    def remove(self, name: str) -> None:
        """Delete a device and its secret. What was handed out stays known."""
        self._run(["remove", "--now", "--yes", "--", name_of(name)])

    def code(
        self,
        name_or_pool: str | Device,
        fresh: bool = True,
        window: int | bool | None = None,
        timeout: Duration | None = None,
        min_validity: Duration | None = None,
        *,
        jump: bool = False,
    ) -> Code:
        """Give a code that nobody else has or will get, whatever the process; if there is none, wait for the next.

        A pool is a pattern such as `ci/*`. `window` takes an unused neighbour up to so many steps away rather than wait
        (`True`: as many as the service is known to accept). `min_validity` asks for a code that is good for at least so
        long. `jump` advances the virtual time of `clock` instead of waiting. Without `fresh` it is the current code,
        whoever has it.
        """
        options = [
            *(["--fresh"] if fresh else []),
            *which(window, timeout, min_validity),
            *(["--jump"] if jump else []),
        ]
        answer = self._run(["code", *options, "--", name_of(name_or_pool)])
        return Code._of(answer, answer["device"])

    def pair(
        self, name: str | Device, *, wait: bool = False, timeout: Duration | None = None, jump: bool = False
    ) -> tuple[Code, Code]:
        """Give two consecutive codes, for enabling and resynchronizing a device, newer than the last pair."""
        options = [*(["--wait"] if wait or jump else []), *option("--timeout", timeout), *(["--jump"] if jump else [])]
        answer = self._run(["pair", *options, "--", name_of(name)])
        one, two = (Code._of(code, answer["device"]) for code in answer["codes"])
        return one, two

    def verify(
        self, name: str | Device, *codes: str, rules: Literal["aws", "rfc"] | None = None, remember: bool = True
    ) -> Verdict:
        """Accept or refuse codes as the service would: one is a login, two or more are what enables a device."""
        options = [*(["--rules", rules] if rules else []), *([] if remember else ["--dry-run"])]
        typed = "\n".join(codes).encode()
        return Verdict._of(self._run(["verify", *options, "--", name_of(name)], typed, (0, 1)))

    def _run(
        self, arguments: Sequence[str | Path], stdin: bytes | None = None, answers: Sequence[int] = (0,)
    ) -> dict[str, Any]:
        if self._closed:
            raise UsageError("closed", f"the home {self.path} is closed, and its devices are deleted")
        return run(arguments, self.env(), stdin, answers)

    def _at(self, server: Server) -> dict[str, str]:
        clock = {"VMFA_CLOCK": server.endpoint} if server.is_virtual else {}
        kept = {key: value for key, value in self.env().items() if not key.startswith("AWS_") or key == _APP}
        return {**kept, **server.env, **clock}

    def _device(self, answer: Mapping[str, Any]) -> Device:
        keys = ("name", "issuer", "account", "type", "algorithm", "digits", "period", "serial_number")
        known: dict[str, Any] = {key: answer.get(key) for key in keys}
        return Device(home=self, **known)

    def _set_up(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self.path / ".set-up"):
            if (self.path / "config.toml").exists():
                return
            arguments: list[str | Path] = ["init", "--vault", self._vault]
            if self._vault == "age":
                identity = self.path / "identity.txt"
                # One without a configuration is of a process that was killed here, maybe before it wrote it.
                if identity.exists() and identity.stat().st_size == 0:
                    identity.unlink()
                arguments += ["--use-identity" if identity.exists() else "--new-identity", identity]
            self._run(arguments)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes out; the lock goes with the process."""
    lock, owner = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), os.getpid()
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        # A fork has the same lock: it mustn't keep it after us, nor give it up before us.
        if os.getpid() == owner:
            fcntl.flock(lock, fcntl.LOCK_UN)
        os.close(lock)


def name_of(device: str | Device | SharedDevice) -> str:
    """Give a device's name, or the pool, unless it may be a secret."""
    name = device if isinstance(device, str) else device.name
    if "://" in name or _SECRET.fullmatch(name):
        # It would be an argument, which other processes can read.
        hints = ["arguments are in the order of NAME, SOURCE", "give a device another name"]
        raise UsageError("secret-in-argv", "the device's name looks like a secret or a URI; it was not used", hints)
    return name


def which(window: int | bool | None, timeout: Duration | None, min_validity: Duration | None) -> list[str]:
    """Say which code it is to be, as the command line has it."""
    if window is not None and not isinstance(window, int):
        raise UsageError("usage", f"window is a number of steps, or True, not {window!r}")
    steps: list[str] = []
    if window is not None and window is not False:
        steps = ["--window"] if window is True else [f"--window={window}"]
    return [*steps, *option("--timeout", timeout), *option("--min-validity", min_validity)]


def option(name: str, value: Duration | None) -> list[str]:
    """Write an option with a length of time, if there is one."""
    return [] if value is None else [f"{name}={duration(value)}"]


def _read(source: Source) -> tuple[str | None, bytes | None]:
    """Tell a path from what goes by stdin."""
    if isinstance(source, bytes):
        return None, source
    if isinstance(source, Mapping):
        inner = source.get("VirtualMFADevice", source)
        kept = {key: inner[key] for key in ("SerialNumber", "Base32StringSeed", "QRCodePNG") if key in inner}
        if "Base32StringSeed" in kept:
            kept.pop("QRCodePNG", None)
        return None, json.dumps({"VirtualMFADevice": kept}, default=_base64).encode()
    if isinstance(source, str) and not os.path.isfile(source) and not _FILE_NAME.fullmatch(source):
        return None, source.encode()
    if not os.path.exists(source):
        hint = f"the working directory is {os.getcwd()}"
        raise InputError("unreadable", f"there is no file `{os.fspath(source)}`", [hint])
    return os.path.abspath(source), None


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is not part of a virtual MFA device")
