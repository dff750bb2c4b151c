"""What commands answer, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from .errors import moment


class Code(str):
    """A code. It is a `str`, and knows what it was made of."""

    __slots__ = ("claim", "counter", "device", "repeated", "step", "valid_from", "valid_until")

    device: str
    """The name of the device that it is a code of, also where a pool was asked."""
    step: int | None
    """The time step; none for a counter device."""
    counter: int | None
    """The counter of a counter device."""
    valid_from: datetime | None
    """The first second of its time step."""
    valid_until: datetime | None
    """The first second after its time step."""
    repeated: bool
    """Whether it had been handed out before; never so if it is fresh."""
    claim: str | None
    """Names what was taken, to give it back; none for a counter device, or if nothing was taken."""

    def __new__(
        cls,
        text: str,
        device: str = "",
        step: int | None = None,
        counter: int | None = None,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        repeated: bool = False,
        claim: str | None = None,
    ) -> Code:
        """Make a code of its digits and what is known of it."""
        code = super().__new__(cls, text)
        code.device, code.step, code.counter, code.repeated = device, step, counter, repeated
        code.valid_from, code.valid_until, code.claim = valid_from, valid_until, claim
        return code

    def __getnewargs__(self) -> tuple[Any, ...]:
        """Tell `pickle` and `copy` how to make the same again."""
        return (
            str(self),
            self.device,
            self.step,
            self.counter,
            self.valid_from,
            self.valid_until,
            self.repeated,
            self.claim,
        )

    @classmethod
    def _of(cls, answer: Mapping[str, Any], device: str) -> Code:
        start, end = (moment(answer[key]) if key in answer else None for key in ("valid_from", "valid_until"))
        repeated = bool(answer.get("repeated", False))
        factor = answer.get("step"), answer.get("counter")
        return cls(answer["code"], device, *factor, start, end, repeated, answer.get("claim"))


@dataclass(frozen=True)
class SharedDevice:
    """A device that a server lets its client use."""

    name: str
    issuer: str | None
    account: str
    type: str
    algorithm: str
    digits: int
    period: int | None
    serial_number: str | None
    """Its ARN, where AWS told it."""

    @classmethod
    def _of(cls, answer: Mapping[str, Any]) -> SharedDevice:
        known: dict[str, Any] = {field.name: answer.get(field.name) for field in fields(cls)}
        return cls(**known)


@dataclass(frozen=True)
class Verdict:
    """What `verify` says of codes; it is true if they were accepted."""

    accepted: bool
    """Whether the service would accept them."""
    reason: str | None
    """Why not, as docs/json.md lists it, such as `used` or `outside-window`."""
    message: str
    """The same in words."""
    step: int | None
    """The time step of the last code, if it is known."""
    drift_steps: int | None
    """How many steps the device is ahead, if that is known."""
    used: bool | None
    """Whether the code had been accepted before, if that is known."""

    def __bool__(self) -> bool:
        """Tell whether they were accepted."""
        return self.accepted

    @classmethod
    def _of(cls, answer: Mapping[str, Any]) -> Verdict:
        keys = ("accepted", "reason", "message", "step", "drift_steps", "used")
        known: dict[str, Any] = {key: answer.get(key) for key in keys}
        return cls(**known)
