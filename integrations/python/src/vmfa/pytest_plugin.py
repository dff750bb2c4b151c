"""Fixtures for pytest: a home, a stand-in, devices, codes, and virtual time.

Under pytest-xdist all workers share one home and one stand-in. The first worker that needs the stand-in starts it, and
it ends with the run: its stdin is a named pipe that the controller holds open. So it ends even if pytest is killed.

If `VMFA_URL` is set, `vmfa_code` takes codes from that server of `vmfa share` in tests that use no other fixture from
here.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import uuid
from collections.abc import Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from ._binary import Duration, end_all
from ._code import Code, SharedDevice
from ._home import Device, Home, Source, locked
from ._scratch import Scratch
from ._server import Event, Server, serve, start
from ._share import Share
from .errors import Error

_MOST_EVENTS = 50
_TIME = re.compile(r"real|virtual(=.+)?")
_TITLE = "vmfa: what the stand-in answered"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what pytest.ini and pyproject.toml may set."""
    parser.addini(
        "vmfa_time", "time of vmfa's stand-in: virtual, virtual=2030-01-01T00:00:00Z, or real", default="virtual"
    )
    parser.addini("vmfa_scenario", "TOML file that vmfa's stand-in begins with, beside this file", default="")
    parser.addini("vmfa_upstream", "URL of the server that vmfa's stand-in sends other services' calls to", default="")
    parser.addini("vmfa_scope", "under xdist, one home and stand-in for the whole run, or one a worker", default="run")


class _State:
    """What this process knows of the run."""

    def __init__(self, config: pytest.Config) -> None:
        worker: dict[str, Any] = getattr(config, "workerinput", {})
        place = Path(worker.get("vmfa", ""))
        self.shared = place if worker.get("vmfa") and place.is_dir() else None
        self.app = f"pytest-{worker.get('workerid', 'main')}"
        self.home: Home | None = None
        self.server: Server | None = None
        self.before = 0
        """The number of the last event before this test."""
        self._follows = False

    def follow(self) -> None:
        """Wait for codes no longer than the run's controller is there."""
        if self.shared and not self._follows:
            threading.Thread(target=_end_with_controller, args=(_lifeline(self.shared),), daemon=True).start()
            self._follows = True

    def of_this_test(self) -> list[Event]:
        """Events of this test: on a shared stand-in, without those that other workers signed with their names."""
        if self.server is None:
            return []
        events = self.server.events(self.before)
        others = [event for event in events if event.app not in (None, self.app) and _is_worker(event.app)]
        return [event for event in events if event not in others][-_MOST_EVENTS:]


def _is_worker(app: str | None) -> bool:
    return app is not None and app.startswith("pytest-")


_STATE = pytest.StashKey[_State]()
_RUN = pytest.StashKey["_Run"]()


def pytest_configure(config: pytest.Config) -> None:
    """Find out whether there is something to share."""
    if config.getini("vmfa_scope") not in ("run", "worker"):
        raise pytest.UsageError(f"vmfa_scope is `run` or `worker`, not `{config.getini('vmfa_scope')}`")
    time = config.getini("vmfa_time")
    if not _TIME.fullmatch(time):
        raise pytest.UsageError(f"vmfa_time is `virtual`, `virtual=2030-01-01T00:00:00Z` or `real`, not `{time}`")
    scenario = _scenario(config)
    if scenario is not None and not scenario.is_file():
        raise pytest.UsageError(f"vmfa_scenario names {scenario}, which is not a file")
    config.stash[_STATE] = _State(config)


class _Run:
    """What all workers of a run share, held by the controller."""

    def __init__(self) -> None:
        self.scratch = Scratch()
        pipe = self.scratch.path / "lifeline"
        os.mkfifo(pipe, 0o600)
        # A stand-in reads it to its end, which comes when this process closes it or is gone.
        self.lifeline = os.open(pipe, os.O_RDWR | os.O_CLOEXEC)

    def end(self) -> None:
        os.close(self.lifeline)
        with contextlib.suppress(OSError, ValueError):
            # Its process is a worker's child, or nobody's: what can be seen is that it answers no more.
            server = Server(json.loads((self.scratch.path / "server.json").read_text()))
            server.wait_for_end()
        self.scratch.close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist where to find what is shared."""
    if node.config.getini("vmfa_scope") == "worker":
        return
    if _RUN not in node.config.stash:
        node.config.stash[_RUN] = _Run()
    node.workerinput["vmfa"] = str(node.config.stash[_RUN].scratch.path)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what the run shared."""
    run = config.stash.get(_RUN, None)
    if run is not None:
        run.end()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note where the events of this test begin, and which clock its devices run on."""
    state = item.config.stash[_STATE]
    if state.server is not None:
        with contextlib.suppress(OSError, Error):
            state.before = state.server.count()
        if state.home is not None:
            state.home.clock = state.server if "vmfa_server" in getattr(item, "fixturenames", ()) else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test what the stand-in answered, and why."""
    report = yield
    if report.failed:
        with contextlib.suppress(OSError, Error):
            events = item.config.stash[_STATE].of_this_test()
            if events:
                report.sections.append((_TITLE, "\n".join(map(str, events))))
    return report


@pytest.fixture(scope="session")
def vmfa_home(request: pytest.FixtureRequest) -> Iterator[Home]:
    """A home for devices, apart from your own; all workers share it."""
    state = request.config.stash[_STATE]
    state.follow()
    with Home(state.shared / "home" if state.shared else None) as home:
        state.home = home
        yield home
        state.home = None


@pytest.fixture(scope="session")
def vmfa_server(request: pytest.FixtureRequest, vmfa_home: Home) -> Iterator[Server]:
    """A stand-in for AWS IAM and STS, which all workers share; `vmfa_time` says whether its time is virtual."""
    state = request.config.stash[_STATE]
    options = _options(request.config)
    server = _shared_server(state.shared, options) if state.shared else serve(**options)
    with server, _named(state):
        state.server, state.before = server, server.count()
        vmfa_home.clock = server
        yield server
        state.server, vmfa_home.clock = None, None


def _options(config: pytest.Config) -> dict[str, Any]:
    return {
        "time": config.getini("vmfa_time"),
        "scenario": _scenario(config),
        "upstream": config.getini("vmfa_upstream") or None,
    }


def _scenario(config: pytest.Config) -> Path | None:
    """Find the scenario beside the file that names it."""
    scenario = config.getini("vmfa_scenario")
    beside = config.inipath.parent if config.inipath else config.rootpath
    return beside / scenario if scenario else None


def _shared_server(shared: Path, options: dict[str, Any]) -> Server:
    """Find the run's stand-in, or start it where this worker is the first."""
    known = shared / "server.json"
    with locked(shared / "server.lock"):
        with contextlib.suppress(OSError, ValueError):
            server = Server(json.loads(known.read_text()))
            if server.is_alive():
                return server
        lifeline = _lifeline(shared)
        try:
            process, ready = start(options, lifeline)
        finally:
            os.close(lifeline)
        # It outlives this worker, and so nobody here waits for it.
        process.returncode = 0
        with open(os.open(known, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(ready, file)
        return Server(ready)


def _lifeline(shared: Path) -> int:
    """Open what the controller holds the other end of."""
    lifeline = os.open(shared / "lifeline", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    os.set_blocking(lifeline, True)
    return lifeline


def _end_with_controller(lifeline: int) -> None:
    """Stop waiting for codes once the controller is gone: this worker may take a while to notice that."""
    with contextlib.suppress(OSError):
        os.read(lifeline, 1)
    end_all()
    os.close(lifeline)


@contextlib.contextmanager
def _named(state: _State) -> Iterator[None]:
    """Have the SDKs of AWS tell which worker a call is of."""
    name = "AWS_SDK_UA_APP_ID"
    mine = state.shared is not None and name not in os.environ
    if mine:
        os.environ[name] = state.app
    try:
        yield
    finally:
        if mine:
            os.environ.pop(name, None)


class DeviceFactory(Protocol):
    """What `vmfa_device` is."""

    def __call__(self, source: Source | None = None, name: str | None = None, *, user: str | None = None) -> Device:
        """Add a device from a source; without one, create it at the stand-in for a user, and enable it."""


@pytest.fixture
def vmfa_device(request: pytest.FixtureRequest, vmfa_home: Home) -> Iterator[DeviceFactory]:
    """Make devices that go when the test ends: from a source, or enabled at the stand-in for a user."""
    with contextlib.ExitStack() as made:

        def make(source: Source | None = None, name: str | None = None, *, user: str | None = None) -> Device:
            name = name or f"test-{uuid.uuid4().hex[:12]}"
            if source is not None:
                device = vmfa_home.add(name, source)
                made.callback(_without_error, vmfa_home.remove, name)
                return device
            server: Server = request.getfixturevalue("vmfa_server")
            # The device's clock is the stand-in's, whether the test has named the fixture or not.
            vmfa_home.clock = server
            device = vmfa_home.enable(name, server, user=user)
            made.callback(_without_error, vmfa_home.disable, name, server, user=user)
            return device

        yield make


def _without_error(remove: Any, *arguments: Any, **options: Any) -> None:
    """Remove what the test may have removed itself."""
    with contextlib.suppress(Error):
        remove(*arguments, **options)


# What has to do with a home's devices, or their time.
_OF_HOME = {"vmfa_home", "vmfa_server", "vmfa_device", "vmfa_clock"}


class CodeSource(Protocol):
    """What `vmfa_code` is."""

    def __call__(
        self,
        name_or_pool: str | Device | SharedDevice,
        *,
        window: int | bool | None = None,
        timeout: Duration | None = None,
        min_validity: Duration | None = None,
    ) -> Code:
        """Give a code that nobody else has, of a device or of a pool such as `ci/*`."""


@pytest.fixture
def vmfa_code(request: pytest.FixtureRequest) -> CodeSource:
    """Give codes that no other worker has or will get; virtual time is advanced where one has to be waited for."""
    share = Share() if os.environ.get("VMFA_URL") and not _OF_HOME.intersection(request.fixturenames) else None
    if share is None:
        request.getfixturevalue("vmfa_home")
    request.config.stash[_STATE].follow()

    def code(
        name_or_pool: str | Device | SharedDevice,
        *,
        window: int | bool | None = None,
        timeout: Duration | None = None,
        min_validity: Duration | None = None,
    ) -> Code:
        if share is not None and not isinstance(name_or_pool, Device):
            return share.code(name_or_pool, window=window, timeout=timeout, min_validity=min_validity)
        home: Home = request.getfixturevalue("vmfa_home")
        name = name_or_pool if isinstance(name_or_pool, str) else name_or_pool.name
        jump = isinstance(home.clock, Server) and home.clock.is_virtual
        return home.code(name, True, window, timeout, min_validity, jump=jump)

    return code


class Clock:
    """The stand-in's virtual time."""

    def __init__(self, server: Server) -> None:
        """Know whose time it is."""
        self._server = server

    @property
    def now(self) -> datetime:
        """What it shows."""
        return self._server.now

    def advance(self, by: Duration) -> datetime:
        """Move it on, such as by `30s`, and give what it shows then."""
        return self._server.advance(by)

    def set(self, to: datetime) -> datetime:
        """Move it on to a moment."""
        return self._server.set_time(to)


@pytest.fixture
def vmfa_clock(vmfa_server: Server) -> Clock:
    """Move the stand-in's virtual time: `vmfa_clock.advance("30s")`."""
    return Clock(vmfa_server)
