"""What the requests of one code cost in DynamoDB, by assumptions that are all in this file and can all be set.

A consistent read of up to 4 KB is a read unit, a write of up to 1 KB is a write unit, and a conditional write that
fails costs what one that succeeds does. All that a Query reads counts as one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

READ, WRITE = 4096, 1024


@dataclass(frozen=True)
class Operation:
    """Something that the program asks the registry."""

    name: str
    request: str
    reads: float
    writes: float


@dataclass(frozen=True)
class Prices:
    """Dollars for a million units on demand. Not looked up: the list prices of us-east-1 since 1 November 2024."""

    read: float = 0.125
    write: float = 0.625


def operations(devices: int, device_bytes: int, step_bytes: int, steps: int) -> dict[str, Operation]:
    """Assumed capacity units for a number of devices and of steps used in ten minutes."""

    def reads(size: int) -> int:
        return max(math.ceil(size / READ), 1)

    used = reads(step_bytes * steps)
    table = (
        Operation("open", "GetItem, the registry itself", 1, 0),
        Operation("list", "Query, all devices", reads(device_bytes * devices), 0),
        Operation("look", "Query, for each device the steps used lately", devices * used, 0),
        Operation("look one", "Query, those of one device, after somebody was faster", used, 0),
        Operation("secret", "GetItem, the encrypted secret", 1, 0),
        Operation("claim", "PutItem, if the step isn't there", 0, math.ceil(step_bytes / WRITE)),
        Operation("give", "UpdateItem, after a wait, if the claim is still ours", 0, math.ceil(step_bytes / WRITE)),
        Operation("give back", "UpdateItem, a step that came too late", 0, math.ceil(step_bytes / WRITE)),
    )
    return {operation.name: operation for operation in table}


@dataclass(frozen=True)
class Cost:
    """Of one code."""

    reads: float
    writes: float
    dollars: float
    """For a million codes."""


def of_a_code(counts: Mapping[str, int], table: Mapping[str, Operation], codes: int, prices: Prices) -> Cost:
    """All that was asked, divided among the codes that were given."""
    codes = max(codes, 1)
    reads = sum(count * table[name].reads for name, count in counts.items()) / codes
    writes = sum(count * table[name].writes for name, count in counts.items()) / codes
    return Cost(reads, writes, reads * prices.read + writes * prices.write)
