"""Homes, devices and codes."""

import copy
import functools
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from conftest import ROOT, SEED, gone

import vmfa


def test_a_home_is_temporary_and_goes_with_its_secrets() -> None:
    with vmfa.Home() as home:
        home.add("x", SEED)
        path = home.path
        assert path.stat().st_mode & 0o077 == 0
        assert [device.name for device in home.devices()] == ["x"]
    assert not path.parent.exists()


def test_who_forgets_to_close_a_home_leaves_nothing() -> None:
    script = "import vmfa; home = vmfa.Home(); print(home.path.parent)"
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    path = Path(done.stdout.strip())
    assert path.name.startswith("vmfa-")
    assert not path.exists()


def test_a_home_with_a_path_stays(tmp_path: Path) -> None:
    with vmfa.Home(tmp_path / "kept") as home:
        home.add("x", SEED)
    with vmfa.Home(tmp_path / "kept") as home:
        assert home.device("x").digits == 6


def test_a_home_knows_nothing_of_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VMFA_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("VMFA_CLOCK", "+1d")
    with vmfa.Home() as home:
        home.add("x", SEED)
        until = home.code("x").valid_until
    assert not (tmp_path / "elsewhere").exists()
    assert until is not None
    assert until - datetime.now(timezone.utc) < timedelta(minutes=1)


@pytest.mark.parametrize("kind", ["picture", "bytes", "text path", "uri", "base32"])
def test_a_source_is_whatever_shows_a_secret(home: vmfa.Home, kind: str) -> None:
    picture = ROOT / "vectors/qr/aws-mfauser.png"
    sources: dict[str, vmfa.Source] = {
        "picture": picture,
        "text path": str(picture),
        "bytes": picture.read_bytes(),
        "uri": f"otpauth://totp/Amazon%20Web%20Services:mfauser?secret={SEED}",
        "base32": SEED,
    }
    device = home.add("mfauser", sources[kind])
    assert (device.name, device.type, device.period) == ("mfauser", "totp", 30)
    assert len(device.code()) == 6


@pytest.mark.parametrize("path", ["qr.png", "pictures/qr.png", Path("qr")])
def test_a_path_that_is_not_there_is_told(home: vmfa.Home, path: vmfa.Source) -> None:
    with pytest.raises(vmfa.InputError, match=r"there is no file `.*qr") as told:
        home.add("x", path)
    assert told.value.kind == "unreadable"


def test_errors_speak_of_parameters(home: vmfa.Home) -> None:
    with pytest.raises(vmfa.InputError) as told:
        home.add("x", "not a secret!")
    assert not str(told.value).startswith("stdin")
    home.add("slow", f"otpauth://totp/slow?secret={SEED}&period=80000")
    home.code("slow")
    with pytest.raises(vmfa.NotYet) as late:
        home.code("slow", timeout=0)
    assert "timeout waits longer" in str(late.value)
    assert "--" not in str(late.value)


def test_a_user_who_is_not_there_is_told(home: vmfa.Home, server: vmfa.Server) -> None:
    with pytest.raises(vmfa.UsageError, match="the stand-in has no user `nobody`") as told:
        home.enable("x", server, user="nobody")
    assert "create_user" in str(told.value)
    with pytest.raises(vmfa.UsageError, match="such as 30s"):
        server.advance("soon")


def test_what_boto3_returns_is_a_source(home: vmfa.Home, server: vmfa.Server) -> None:
    made = server.boto3("iam").create_virtual_mfa_device(VirtualMFADeviceName="alice")
    device = home.add("alice", made)
    assert device.serial_number == f"arn:aws:iam::{server.account}:mfa/alice"
    assert home.add("again", made["VirtualMFADevice"]).serial_number == device.serial_number


def test_a_code_is_a_str_that_knows_its_step(home: vmfa.Home) -> None:
    home.add("x", SEED)
    code = home.code("x")
    assert isinstance(code, str)
    assert code.device == "x"
    assert code.step is not None
    assert code.valid_until is not None
    assert code.valid_until.timestamp() == (code.step + 1) * 30
    assert not code.repeated
    for again in (copy.deepcopy(code), pickle.loads(pickle.dumps(code))):  # noqa: S301
        assert (again, again.step, again.valid_until) == (code, code.step, code.valid_until)
    shown = home.code("x", fresh=False)
    assert shown.repeated or shown.step != code.step


def test_a_counter_device_has_counters(home: vmfa.Home) -> None:
    home.add("c", f"otpauth://hotp/x?secret={SEED}&counter=1")
    code = home.code("c")
    assert (code, code.counter, code.step, code.valid_until) == ("287082", 1, None, None)


def test_a_code_that_is_not_there_yet_says_when(home: vmfa.Home, server: vmfa.Server) -> None:
    # At a whole second: the stand-in's time may be between two.
    server.set_time(server.now.replace(microsecond=0) + timedelta(seconds=1))
    home.clock = server
    home.add("x", SEED)
    home.code("x")
    with pytest.raises(vmfa.NotYet) as caught:
        home.code("x")
    error = caught.value
    assert error.kind == "time-stands-still"
    assert error.wait_seconds is not None
    assert error.available_at == server.now + timedelta(seconds=error.wait_seconds)
    assert error.hints
    assert error.hints[0] in str(error)
    code = home.code("x", jump=True)
    assert code.valid_until == server.now + timedelta(seconds=30)


def test_a_code_lasts_as_long_as_asked_for(home: vmfa.Home) -> None:
    with vmfa.serve(time="virtual=2030-01-01T00:00:27Z") as server:
        home.clock = server.endpoint
        home.add("x", SEED)
        code = home.code("x", min_validity="5s", jump=True)
        assert code.valid_until == datetime(2030, 1, 1, 0, 1, tzinfo=timezone.utc)
        server.advance(25)
        assert home.code("x", fresh=False, min_validity=timedelta(seconds=5)).valid_until == code.valid_until
        with pytest.raises(vmfa.UsageError, match="at most 30 s"):
            home.code("x", min_validity=31)


def test_a_pool_gives_what_nobody_else_has(home: vmfa.Home) -> None:
    for number in range(3):
        home.add(f"ci/{number}", f"otpauth://totp/x?secret={SEED}&period={30 + number}")
    codes: list[vmfa.Code] = []
    workers = [threading.Thread(target=lambda: codes.append(home.code("ci/*", window=1))) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len({(code.device, code.step) for code in codes}) == 6


def test_a_pair_enables_and_a_verdict_is_true_or_false(home: vmfa.Home) -> None:
    device = home.add("x", SEED)
    one, two = device.pair()
    assert one.step is not None
    assert two.step == one.step + 1
    assert device.verify(one, two)
    again = device.verify(two)
    assert not again
    assert (again.accepted, again.reason, again.used) == (False, "used", True)


def test_errors_are_told_apart(home: vmfa.Home) -> None:
    with pytest.raises(vmfa.NoSuchDevice) as missing:
        home.code("nobody")
    assert (missing.value.kind, missing.value.exit_code) == ("no-such-device", 1)
    home.add("x", SEED)
    with pytest.raises(vmfa.Refused) as taken:
        home.add("x", SEED)
    assert taken.value.kind == "name-taken"
    assert home.add("x", SEED, replace=True).name == "x"
    with pytest.raises(vmfa.InputError):
        home.add("y", b"\x89PNG\r\n\x1a\nbroken")
    home.remove("x")
    assert home.devices() == []


def test_a_program_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMFA_BINARY", "/nowhere/vmfa")
    with pytest.raises(vmfa.BinaryNotFound, match="/nowhere/vmfa"):
        vmfa.Home()


def test_secrets_are_never_arguments(home: vmfa.Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    spy = tmp_path / "vmfa"
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>"{seen}"\nexec "{vmfa.binary()}" "$@"\n')
    spy.chmod(0o700)
    monkeypatch.setenv("VMFA_BINARY", str(spy))
    device = home.add("x", f"otpauth://totp/x?secret={SEED}")
    device.verify(device.code())
    home.add("y", SEED)
    assert SEED not in seen.read_text()
    assert "--fresh" in seen.read_text()


def test_one_of_many_sets_things_up(home: vmfa.Home) -> None:
    script = (
        "import sys, vmfa\n"
        "home = vmfa.Home(sys.argv[1])\n"
        "with home.once('pool') as mine:\n"
        f"    if mine: home.add('only', '{SEED}')\n"
        "print(mine, home.device('only').name)\n"
    )
    command = [sys.executable, "-c", script, str(home.path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = sorted(process.communicate()[0] for process in running)
    assert said == ["False only\n", "False only\n", "True only\n"]


def test_who_fails_to_set_up_leaves_it_to_the_next(home: vmfa.Home) -> None:
    with pytest.raises(ZeroDivisionError), home.once("x"):
        raise ZeroDivisionError
    with home.once("x") as mine:
        assert mine
    with home.once("x") as mine:
        assert not mine


def test_what_a_killed_process_left_is_cleared_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    script = "import os, vmfa; home = vmfa.Home(); print(home.path.parent); os.kill(os.getpid(), 9)"
    died = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    left = Path(died.stdout.strip())
    assert left.parent == tmp_path
    assert left.exists()
    # Not what somebody may just be making.
    second = f"import tempfile, vmfa; home = vmfa.Home(); print({str(left)!r})"
    subprocess.run([sys.executable, "-c", second + "; home.close()"], check=True)
    assert left.exists()
    os.utime(left, (0, 0))
    subprocess.run([sys.executable, "-c", second + "; home.close()"], check=True)
    assert not left.exists()


@pytest.mark.parametrize("written", ["", "AGE-SECRET-KEY"])
def test_a_home_whose_maker_was_killed_is_finished_by_the_next(tmp_path: Path, written: str) -> None:
    with vmfa.Home(tmp_path / "whole") as whole:
        identity = (whole.path / "identity.txt").read_text() if written else ""
    place = tmp_path / "killed"
    place.mkdir(mode=0o700)
    (place / "identity.txt").write_text(identity)
    (place / "identity.txt").chmod(0o600)
    with vmfa.Home(place) as home:
        home.add("x", SEED)
        assert len(home.code("x")) == 6
    if written:
        assert (place / "identity.txt").read_text() == identity


def test_a_name_is_never_an_option_and_never_a_secret(home: vmfa.Home) -> None:
    for name in ("--help", "-h"):
        with pytest.raises(vmfa.Error):
            home.add(name, SEED)
        with pytest.raises(vmfa.NoSuchDevice):
            home.code(name)
        with pytest.raises(vmfa.NoSuchDevice):
            home.remove(name)
    for secret in (f"otpauth://totp/x?secret={SEED}", SEED):
        for use in (home.code, home.device, home.pair, home.remove, functools.partial(home.add, source="x")):
            with pytest.raises(vmfa.UsageError) as caught:
                use(secret)
            assert caught.value.kind == "secret-in-argv"
            assert SEED not in str(caught.value)
    assert home.add("ADMINISTRATORDEVICE", SEED).name == "ADMINISTRATORDEVICE"


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_what_is_no_length_of_time_is_a_usage_error(home: vmfa.Home, seconds: float) -> None:
    home.add("x", SEED)
    with pytest.raises(vmfa.UsageError, match="not a length of time"):
        home.code("x", timeout=seconds)


def test_a_closed_home_says_so_and_leaves_nothing() -> None:
    home = vmfa.Home()
    home.close()
    with pytest.raises(vmfa.UsageError, match="closed"):
        home.devices()
    assert not home.path.parent.exists()


def test_once_tells_long_names_apart(home: vmfa.Home) -> None:
    for name in ("a" * 200 + "1", "a" * 200 + "2"):
        with home.once(name) as mine:
            assert mine


def test_a_fork_keeps_no_lock_and_takes_none_away(home: vmfa.Home) -> None:
    with home.once("set up"):
        child = os.fork()
        if child == 0:
            signal.pause()
    try:
        with home.once("set up") as mine:
            assert not mine
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_fork_keeps_no_command_waiting(home: vmfa.Home) -> None:
    home.add("x", f"otpauth://totp/x?secret={SEED}&period=80000")
    home.code("x")
    script = f"""
        import os, threading, time, vmfa, vmfa._binary
        home = vmfa.Home({str(home.path)!r})
        threading.Thread(target=lambda: home.code("x", timeout="1d"), daemon=True).start()
        waiting = []
        while not waiting:
            waiting = [one.pid for one in list(vmfa._binary._WAITING) if "--fresh" in one.args]
        print(waiting[0], os.fork() or time.sleep(60), flush=True)
        time.sleep(60)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        waiting, fork = map(int, program.stdout.readline().split())
        program.kill()
        try:
            assert gone(waiting)
        finally:
            os.kill(fork, signal.SIGKILL)


def test_what_a_killed_process_left_is_swept_and_others_things_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, empty, other = (tmp_path / f"vmfa-{name}" for name in ("left", "empty", "other"))
    for path in (left / "home", empty, other):
        path.mkdir(parents=True)
    (left / ".in-use").touch()
    (left / "home/identity.txt").touch()
    (other / "notes.txt").touch()
    for path in (left, empty, other):
        os.utime(path, (0, 0))
    with vmfa.Home() as home:
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["vmfa-other", home.path.parent.name])
