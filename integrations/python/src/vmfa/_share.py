"""A server of `vmfa share`, which hands out codes to workers that have no vault and no registry."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ._binary import Duration, run
from ._code import Code, SharedDevice
from ._home import name_of, option, which
from .errors import NoSuchDevice, UsageError

# pytest shows the arguments of the functions in a traceback, and an access token is among those here.
__tracebackhide__ = True

_ASK = "ask its operator for an access token: vmfa share token add NAME --allow PATTERN"


class Share:
    """A server of `vmfa share`, which gives each code once, to whichever of its clients.

    What isn't given is as the environment says: `VMFA_URL`, `VMFA_TOKEN` or else `VMFA_TOKEN_FILE`, `VMFA_CA_BUNDLE`.
    """

    url: str

    def __init__(
        self, url: str | None = None, token: str | None = None, ca_bundle: str | os.PathLike[str] | None = None
    ) -> None:
        """Know a server; it is asked when something is wanted of it."""
        self._settings = _settings(url, token, ca_bundle)
        # Tools that show the variables of a traceback show this one.
        del token
        if "VMFA_URL" not in self._settings:
            raise UsageError("usage", "no server is named", ["set VMFA_URL, or give Share its url"])
        self.url = self._settings["VMFA_URL"]
        if not self._settings.keys() & {"VMFA_TOKEN", "VMFA_TOKEN_FILE"}:
            message = "there is no access token: set VMFA_TOKEN or VMFA_TOKEN_FILE, or give Share its token"
            raise UsageError("usage", message, [_ASK])

    def __repr__(self) -> str:
        """Name the server, and keep the access token to itself."""
        return f"Share({self.url!r})"

    def code(
        self,
        name_or_pool: str | SharedDevice,
        *,
        window: int | bool | None = None,
        timeout: Duration | None = None,
        min_validity: Duration | None = None,
    ) -> Code:
        """Give a code that nobody else has or will get; if there is none, the server waits for the next.

        A pool is a pattern such as `ci/*`. `window` takes an unused neighbour up to so many steps away rather than wait
        (`True`: as many as the service is known to accept). `min_validity` asks for a code that is good for at least so
        long.
        """
        options = which(window, timeout, min_validity)
        answer = self._run(["code", "--fresh", *options, "--", name_of(name_or_pool)])
        return Code._of(answer, answer["device"])

    def pair(
        self, name: str | SharedDevice, *, wait: bool = False, timeout: Duration | None = None
    ) -> tuple[Code, Code]:
        """Give two consecutive codes, for enabling and resynchronizing a device, newer than the last pair."""
        options = [*(["--wait"] if wait else []), *option("--timeout", timeout)]
        answer = self._run(["pair", *options, "--", name_of(name)])
        one, two = (Code._of(code, answer["device"]) for code in answer["codes"])
        return one, two

    def devices(self) -> list[SharedDevice]:
        """List the devices that the access token is for."""
        return [SharedDevice._of(one) for one in self._run(["list"])["devices"]]

    def release(self, code_or_pair: Code | tuple[Code, Code]) -> None:
        """Give back a code, or a pair, that never reached the service. It can then be handed out again."""
        codes = [code_or_pair] if isinstance(code_or_pair, str) else list(code_or_pair)
        taken = {(getattr(code, "device", None), getattr(code, "claim", None)) for code in codes}
        device, claim = taken.pop() if len(taken) == 1 else (None, None)
        if not device or not claim:
            hints = ["give the Code itself, or both of a pair; those of a counter device stay used"]
            raise UsageError("usage", "what has no claim can't be given back", hints)
        self._run(["release", f"--claim={claim}", "--", name_of(device)])

    def _run(self, arguments: Sequence[str]) -> dict[str, Any]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("VMFA_")}
        try:
            return run(arguments, _Unshown({**kept, **self._settings}))
        except NoSuchDevice as error:
            hints = ["Share.devices() lists the devices that the access token is for"]
            raise NoSuchDevice(error.kind, error.message, hints, error.exit_code) from None


class _Unshown(dict[str, str]):
    """An environment that no traceback shows: an access token is in it."""

    def __repr__(self) -> str:
        return "{...}"


def _settings(url: str | None, token: str | None, ca_bundle: str | os.PathLike[str] | None) -> _Unshown:
    """Give what was given, else what the environment has; an empty variable counts as not set."""
    of = os.environ.get
    settings = {"VMFA_URL": of("VMFA_URL") if url is None else url}
    settings["VMFA_TOKEN"] = of("VMFA_TOKEN") if token is None else token
    if token is None and not settings["VMFA_TOKEN"]:
        # The program reads it each time, so the token may change.
        settings["VMFA_TOKEN_FILE"] = _path(of("VMFA_TOKEN_FILE"))
    settings["VMFA_CA_BUNDLE"] = _path(of("VMFA_CA_BUNDLE") if ca_bundle is None else ca_bundle)
    return _Unshown({key: value for key, value in settings.items() if value})


def _path(path: str | os.PathLike[str] | None) -> str | None:
    return os.path.abspath(path) if path else None
