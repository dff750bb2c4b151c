"""Each test leases two codes of a pool and signs in with them. Started by `pool.py`, which writes the scenario."""

import os

import pool
import pytest

TESTS = int(os.environ.get("VMFA_POOL_TESTS", "16"))


@pytest.fixture(scope="session")
def devices(vmfa_home):
    """The pool, in the home that all workers share."""
    with vmfa_home.once("pool") as mine:
        for number in range(pool.DEVICES if mine else 0):
            vmfa_home.add(f"ci/{number}", pool.secret(number))


@pytest.mark.parametrize("test", range(TESTS))
def test_two_sessions(test, devices, vmfa_server, vmfa_code):
    """Codes of whichever device has one: STS takes each."""
    for _ in range(2):
        # A device has nine attempts in three minutes: one neighbour to either side, at most, keeps within them.
        code = vmfa_code("ci/*", window=1)
        user = code.device.replace("ci/", "user-")
        serial = f"arn:aws:iam::{vmfa_server.account}:mfa/{user}"
        session = vmfa_server.boto3("sts", user).get_session_token(SerialNumber=serial, TokenCode=code)
        assert session["Credentials"]["SessionToken"]
