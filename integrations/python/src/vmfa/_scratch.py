"""Temporary directories that go even if the process that made them was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
import weakref
from pathlib import Path

_PREFIX = "vmfa-"
_LOCK = ".in-use"

# Who has made a directory and not locked it yet is still at work.
_YOUNG = 60.0


class Scratch:
    """A private directory, deleted by `close` or at the end of the process, or else by the next one that makes one."""

    path: Path

    def __init__(self) -> None:
        """Make the directory, and lock it: the lock goes with this process, however it ends."""
        _sweep()
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self._finalizer = weakref.finalize(self, _delete, self.path, lock, os.getpid())

    def close(self) -> None:
        """Delete the directory; a fork of the process that made it doesn't."""
        self._finalizer()


def _delete(path: Path, lock: int, owner: int) -> None:
    if owner == os.getpid():
        _clear(path)
        os.close(lock)


def _clear(path: Path) -> None:
    """Delete a directory, and its lock file last: until then the next process knows it for one of these."""
    for inner in path.iterdir():
        if inner.is_dir() and not inner.is_symlink():
            shutil.rmtree(inner, ignore_errors=True)
        elif inner.name != _LOCK:
            inner.unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)


def _sweep() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            status = path.stat()
            if status.st_uid != os.getuid() or time.time() - status.st_mtime < _YOUNG:
                continue
            try:
                lock = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            except FileNotFoundError:
                # Its maker was killed before it put anything there, or it isn't ours.
                path.rmdir()
                continue
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _clear(path)
            finally:
                os.close(lock)
