"""What went wrong: a kind that programs compare, a message, and hints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any


class Error(Exception):
    """A command failed.

    `kind` is stable and is what programs compare; `message` and `hints` are for people. docs/json.md lists the kinds.
    """

    kind: str
    message: str
    hints: tuple[str, ...]
    exit_code: int | None

    def __init__(self, kind: str, message: str, hints: Sequence[str] = (), exit_code: int | None = None) -> None:
        """Keep what the command said."""
        super().__init__(kind, message, tuple(hints), exit_code)
        self.kind = kind
        self.message = message
        self.hints = tuple(hints)
        self.exit_code = exit_code

    def __str__(self) -> str:
        """Give the message, and a line for each hint."""
        return "\n".join([self.message, *(f"hint: {hint}" for hint in self.hints)])


class Refused(Error):
    """The answer is no."""


class NoSuchDevice(Refused):
    """No device has this name, or none matches the pattern."""


class NotYet(Refused):
    """No code, or no pair, can be had in time; `wait_seconds` tells how long it takes."""

    available_at: datetime | None = None
    wait_seconds: int | None = None


class UsageError(Error):
    """An argument is wrong."""


class StorageError(Error):
    """The vault or the registry can't be used."""


class ServerError(Error):
    """A server can't be used."""


class InputError(Error):
    """A source can't be read."""


class Interrupted(Error):
    """A signal ended a wait."""


class BinaryNotFound(Error):
    """The `vmfa` program isn't installed."""


_BY_EXIT_CODE: Mapping[int, type[Error]] = {1: Refused, 2: UsageError, 3: StorageError, 4: ServerError, 5: InputError}


def from_answer(answer: Mapping[str, Any], exit_code: int | None) -> Error:
    """Make an exception of the JSON of a failed command."""
    kind = str(answer.get("code", "unknown"))
    # Sources that aren't files go by stdin, which the caller doesn't see.
    message = str(answer.get("message", "")).removeprefix("stdin: ")
    hints = [_in_python(str(hint)) for hint in answer.get("hints", ())]
    if "wait_seconds" in answer:
        error = NotYet(kind, message, hints, exit_code)
        error.wait_seconds = int(answer["wait_seconds"])
        error.available_at = moment(str(answer["available_at"]))
        return error
    if kind == "no-such-device":
        # What is advised besides is for the terminal.
        near = [hint.split(" `vmfa", 1)[0].rstrip() for hint in hints if hint.startswith("did you mean")]
        return NoSuchDevice(kind, message, near or ["Home.devices() lists the devices"], exit_code)
    if kind == "interrupted":
        return Interrupted(kind, message, hints, exit_code)
    return _BY_EXIT_CODE.get(exit_code or 0, Error)(kind, message, hints, exit_code)


def _in_python(hint: str) -> str:
    """Name the parameter instead of the command's option: `--timeout 2m` is `timeout="2m"`."""

    def parameter(option: re.Match[str]) -> str:
        name, value = option[1].replace("-", "_"), option[2]
        return f'{name}="{value}"' if value else name

    if moves := re.search(r"vmfa serve time \+(\w+)", hint):
        return f'to move virtual time: server.advance("{moves[1]}"), in pytest vmfa_clock.advance("{moves[1]}")'
    # A whole command is for the terminal, so its options stay what they are.
    return hint if "vmfa " in hint else _OPTION.sub(parameter, hint)


_OPTION = re.compile(r"--(fresh|jump|min-validity|replace|rules|timeout|wait|window)\b(?: (\d+[smhd]))?")


def moment(text: str) -> datetime:
    """Read a time as `vmfa` writes it: RFC 3339, in UTC."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
