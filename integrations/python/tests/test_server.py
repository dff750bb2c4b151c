"""The stand-in, and that nothing of it is left behind."""

import dataclasses
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from conftest import SEED, gone

import vmfa


def test_boto3_works_with_it_and_events_tell_why(server: vmfa.Server, home: vmfa.Home) -> None:
    home.clock = server
    iam = server.boto3("iam")
    iam.create_user(UserName="alice")
    device = home.enable("alice", server, user="alice")
    assert device.serial_number == f"arn:aws:iam::{server.account}:mfa/alice"
    sts = server.boto3("sts", iam.create_access_key(UserName="alice")["AccessKey"])
    code = home.code(device, jump=True)
    session = sts.get_session_token(SerialNumber=device.serial_number, TokenCode=code)["Credentials"]
    assert server.boto3("sts", session).get_caller_identity()["Arn"].endswith("user/alice")
    before = server.count()
    with pytest.raises(Exception, match="MultiFactorAuthentication failed"):
        sts.get_session_token(SerialNumber=device.serial_number, TokenCode=code)
    (event,) = server.events(before)
    assert (event.action, event.outcome, event.code) == ("GetSessionToken", "refused", "AccessDenied")
    assert event.why is not None
    assert "has been used" in event.why
    assert event.why in str(event)
    home.disable("alice", server, user="alice")
    assert iam.list_mfa_devices(UserName="alice")["MFADevices"] == []


def test_virtual_time_stands_until_it_is_moved(server: vmfa.Server) -> None:
    now = server.now
    assert server.advance("30s") == now + timedelta(seconds=30) == server.now
    assert server.advance(timedelta(minutes=1)) == now + timedelta(seconds=90)
    later = datetime(2100, 1, 1, tzinfo=timezone.utc)
    assert server.set_time(later) == later
    with pytest.raises(vmfa.ServerError) as caught:
        server.set_time(now)
    assert caught.value.kind == "backwards"


def test_a_moment_between_two_seconds_is_reached(server: vmfa.Server) -> None:
    half = server.set_time(server.now + timedelta(seconds=7, milliseconds=500))
    assert server.now == half
    later = half + timedelta(microseconds=400_001)
    server.reach(later)
    assert later <= server.now < later + timedelta(milliseconds=1)


def test_all_events_are_told_and_none_obeys_the_terminal(server: vmfa.Server) -> None:
    sts = server.boto3("sts")
    for _ in range(1_050):
        sts.get_caller_identity()
    iam = server.boto3("iam", vmfa.Credentials("AKIANOBODY0000000000", "x"))
    with pytest.raises(Exception, match="InvalidClientTokenId"):
        iam.list_users()
    events = server.events()
    assert [event.number for event in events] == list(range(1, 1_052))
    assert events[-1].outcome == "refused"
    assert len(server.events(1_049)) == 2
    odd = dataclasses.replace(events[-1], action="\x1b[31m\n", app="\u202e", message="\x9b")
    assert not {"\x1b", "\u202e", "\x9b"} & set(str(odd))
    assert len(str(odd).splitlines()) == len(str(events[-1]).splitlines())


def test_real_time_is_not_moved() -> None:
    with vmfa.serve(time="real") as server, pytest.raises(vmfa.UsageError, match="real time"):
        server.advance("30s")


def test_a_scenario_has_users_with_keys(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(f"""
        alias = "wonderland"
        [[user]]
        name = "alice"
        access_key = true
        [[user.device]]
        name = "alice"
        secret = "{SEED}"
    """)
    with vmfa.serve(scenario, account="210987654321") as server:
        assert server.boto3("sts", "alice").get_caller_identity()["Account"] == "210987654321"
        assert server.env_of("alice")["AWS_ACCESS_KEY_ID"] == server.users["alice"].access_key_id
        assert server.users["alice"].secret_access_key not in repr(server.users)
        with pytest.raises(vmfa.UsageError, match="administrator, alice"):
            server.boto3("sts", "bob")
    assert not server.is_alive()
    scenario.write_text("[[user]]\nnam = 1\n")
    with pytest.raises(vmfa.InputError, match=r"scenario\.toml"):
        vmfa.serve(scenario)


def test_the_aws_environment_is_enough_for_a_client(server: vmfa.Server) -> None:
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    environment = {**os.environ, **server.env}
    done = subprocess.run([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True)
    assert done.stdout.strip() == server.account


def test_it_ends_where_its_block_ends_and_at_the_end_of_the_program() -> None:
    with vmfa.serve() as server:
        pass
    assert gone(server.pid, 0.1)
    script = "import vmfa; server = vmfa.serve(); print(server.pid)"
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert gone(int(done.stdout))


FORK = "if os.fork() == 0:\n    sys.stdout.close(); os.close(1); os.close(2); time.sleep(60)\n"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("fork", ["", FORK])
def test_a_program_that_is_killed_leaves_nothing_behind(how: signal.Signals, fork: str) -> None:
    """Not even if a fork of it goes on."""
    script = f"import os, sys, time, vmfa\nserver = vmfa.serve()\n{fork}print(server.pid, flush=True)\ntime.sleep(60)\n"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as program:
        assert program.stdout is not None
        server = int(program.stdout.readline())
        program.send_signal(how)
        program.wait()
        assert gone(server)
        if fork:
            os.killpg(program.pid, signal.SIGKILL)


def test_a_program_that_is_killed_waits_for_no_code(home: vmfa.Home) -> None:
    home.add("x", f"otpauth://totp/x?secret={SEED}&period=80000")
    home.code("x")
    script = f"import vmfa; vmfa.Home({str(home.path)!r}).code('x', timeout='1d')"
    with subprocess.Popen([sys.executable, "-c", script]) as program:
        children = Path(f"/proc/{program.pid}/task/{program.pid}/children")
        waiting: list[int] = []
        while not waiting:
            words = children.read_text().split()
            # What waits for a code, and not what came before.
            waiting = [int(word) for word in words if b"--fresh" in Path(f"/proc/{word}/cmdline").read_bytes()]
        program.kill()
    assert gone(waiting[0])
    # Nor does anybody hold the registry.
    assert home.code("x", fresh=False).repeated
