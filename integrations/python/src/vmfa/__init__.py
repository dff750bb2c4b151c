"""A virtual MFA device for test suites.

`Home` keeps devices and gives codes, each once, whatever the process; `serve` starts a stand-in for AWS IAM and STS
that checks them. `Share` takes codes from a server of `vmfa share`. For pytest there are the fixtures `vmfa_home`,
`vmfa_server`, `vmfa_device`, `vmfa_code` and `vmfa_clock`.
"""

from ._binary import Duration, binary
from ._code import Code, SharedDevice, Verdict
from ._home import Device, Home, Source
from ._server import Credentials, Event, Server, serve
from ._share import Share
from .errors import (
    BinaryNotFound,
    Error,
    InputError,
    Interrupted,
    NoSuchDevice,
    NotYet,
    Refused,
    ServerError,
    StorageError,
    UsageError,
)

__version__ = "0.1.0"

__all__ = [
    "BinaryNotFound",
    "Code",
    "Credentials",
    "Device",
    "Duration",
    "Error",
    "Event",
    "Home",
    "InputError",
    "Interrupted",
    "NoSuchDevice",
    "NotYet",
    "Refused",
    "Server",
    "ServerError",
    "Share",
    "SharedDevice",
    "Source",
    "StorageError",
    "UsageError",
    "Verdict",
    "binary",
    "serve",
]
