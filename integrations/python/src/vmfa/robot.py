"""Robot Framework library: codes of a virtual MFA device, and a stand-in for AWS IAM and STS.

    *** Settings ***
    Library    vmfa.robot

All tests of a run share one home for devices, and one stand-in if it is started. Both end with the run.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ._code import Code
from ._home import Device, Home
from ._server import Server, serve
from .errors import UsageError

__all__ = [
    "add_device",
    "advance_time",
    "enable_device",
    "get_aws_environment",
    "get_code",
    "get_events",
    "get_pair",
    "remove_device",
    "start_stand_in",
    "stop_stand_in",
    "use_home",
    "verify_codes",
]

_Keyword = TypeVar("_Keyword", bound=Callable[..., Any])


class _Run:
    """What the tests of a run share."""

    home: Home | None = None
    server: Server | None = None


_RUN = _Run()


def _named(name: str) -> Callable[[_Keyword], _Keyword]:
    """Name a keyword as Robot's own decorator does, which isn't there unless Robot is."""

    def keep(function: _Keyword) -> _Keyword:
        function.robot_name = name  # type: ignore[attr-defined]
        return function

    return keep


def _home() -> Home:
    if _RUN.home is None:
        _RUN.home = Home(clock=_RUN.server)
    return _RUN.home


def _server() -> Server:
    if _RUN.server is None:
        raise UsageError("no-stand-in", "no stand-in has been started", ["Start Stand-in"])
    return _RUN.server


@atexit.register
def _end() -> None:
    if _RUN.server is not None:
        _RUN.server.close()
    if _RUN.home is not None:
        _RUN.home.close()
    _RUN.server = _RUN.home = None


def use_home(path: str) -> None:
    """Use the home at this path instead of a temporary one, so that several runs share its devices."""
    if _RUN.home is not None:
        _RUN.home.close()
    _RUN.home = Home(path, clock=_RUN.server)


def add_device(name: str, source: str | bytes | Mapping[str, Any], replace: bool = False) -> Device:
    """Enrol a device from a picture, an otpauth URI, a base32 secret, or what boto3 returned."""
    return _home().add(name, source, replace=replace)


def enable_device(name: str, user: str | None = None) -> Device:
    """Create a device at the stand-in, for this user or else the administrator, and enable it."""
    return _home().enable(name, _server(), user=user)


def remove_device(name: str) -> None:
    """Delete a device and its secret."""
    _home().remove(name)


def get_code(
    name: str,
    fresh: bool = True,
    window: int | None = None,
    timeout: str | None = None,
    min_validity: str | None = None,
) -> Code:
    """Give a code that nobody else has, of a device or of a pool such as `ci/*`; wait for the next where it has to be.

    The stand-in's virtual time is advanced instead. With `min_validity=5s` the code is good for at least so long.
    """
    home = _home()
    return home.code(name, fresh, window, timeout, min_validity, jump=_is_virtual() and (fresh or bool(min_validity)))


def get_pair(name: str) -> list[Code]:
    """Give two consecutive codes, for enabling and resynchronizing a device."""
    return list(_home().pair(name, jump=_is_virtual()))


def verify_codes(name: str, *codes: str) -> bool:
    """Tell whether the service would accept a code, or two consecutive ones; what is accepted once is used."""
    return bool(_home().verify(name, *codes))


@_named("Start Stand-in")
def start_stand_in(scenario: str | None = None, time: str = "virtual", upstream: str | None = None) -> str:
    """Start a stand-in for AWS IAM and STS, and give its URL."""
    stop_stand_in()
    _RUN.server = serve(scenario, time, upstream)
    if _RUN.home is not None:
        _RUN.home.clock = _RUN.server
    return _RUN.server.endpoint


@_named("Stop Stand-in")
def stop_stand_in() -> None:
    """End the stand-in, if there is one."""
    if _RUN.server is not None:
        _RUN.server.close()
    _RUN.server = None
    if _RUN.home is not None:
        _RUN.home.clock = None


@_named("Get AWS Environment")
def get_aws_environment(user: str | None = None) -> dict[str, str]:
    """Give the environment variables for the AWS CLI and SDKs, as the administrator or a user of the scenario."""
    return _server().env_of(user)


def advance_time(by: str) -> str:
    """Move the stand-in's virtual time on, such as by `30s`, and give what it shows then."""
    return _server().advance(by).isoformat()


def get_events(after: int = 0) -> list[str]:
    """Tell what the stand-in accepted and refused, and why."""
    return [str(event) for event in _server().events(after)]


def _is_virtual() -> bool:
    return _RUN.server is not None and _RUN.server.is_virtual
