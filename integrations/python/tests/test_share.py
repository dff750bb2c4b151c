"""A server of `vmfa share`, and the package as its client."""

import contextlib
import copy
import pickle
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import SEED, Service, met, new_token, sharing

import vmfa

CI = ("ci/1", "ci/2", "ci/3")


@pytest.fixture(autouse=True)
def _no_server_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VMFA_URL", "VMFA_TOKEN", "VMFA_TOKEN_FILE", "VMFA_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def devices(home: vmfa.Home) -> vmfa.Home:
    """A home with devices in `ci/`, of different secrets, and one beside them."""
    for name, last in zip((*CI, "prod/1"), "ABCD", strict=True):
        home.add(name, f"otpauth://totp/Example:{name}?secret={SEED[:-1]}{last}&issuer=Example")
    return home


@pytest.fixture
def still(devices: vmfa.Home, server: vmfa.Server) -> Iterator[vmfa.Share]:
    """Codes by a time that stands still."""
    server.set_time(server.now.replace(microsecond=0) + timedelta(seconds=1))
    with sharing(devices, "--clock", server.endpoint) as service:
        yield service.client()


@pytest.fixture
def share(devices: vmfa.Home) -> Iterator[vmfa.Share]:
    """Codes by real time."""
    with sharing(devices) as service:
        yield service.client()


def test_a_code_is_what_a_home_gives(devices: vmfa.Home, server: vmfa.Server, still: vmfa.Share) -> None:
    code = still.code("ci/1")
    devices.clock = server
    same = devices.code("ci/1", fresh=False)
    known = ("device", "step", "counter", "valid_from", "valid_until")
    assert (code, *(getattr(code, name) for name in known)) == (same, *(getattr(same, name) for name in known))
    assert not code.repeated
    assert code.claim
    with pytest.raises(vmfa.NotYet) as late:
        still.code("ci/1", timeout=0)
    assert (late.value.kind, late.value.exit_code) == ("no-free-step", 1)
    assert late.value.wait_seconds is not None
    assert late.value.available_at == server.now + timedelta(seconds=late.value.wait_seconds) == code.valid_until
    assert "--" not in str(late.value)
    # What one process was given, no other is: not here, not there.
    with pytest.raises(vmfa.NotYet):
        devices.code("ci/1")
    assert still.code("ci/1", window=1, timeout="0s").step != code.step
    codes = [still.code("ci/*", timeout=timedelta(0)) for _ in range(2)]
    assert {code.device for code in codes} == {"ci/2", "ci/3"}
    with pytest.raises(vmfa.Refused, match="at most 30 s"):
        still.code("ci/2", min_validity=31)
    with pytest.raises(vmfa.UsageError, match="window is a number"):
        still.code("ci/2", window="1")  # type: ignore[arg-type]


def test_a_code_lasts_as_long_as_asked_for(devices: vmfa.Home) -> None:
    with (
        vmfa.serve(time="virtual=2030-01-01T00:00:27Z") as server,
        sharing(devices, "--clock", server.endpoint, "--jump") as service,
    ):
        share = service.client()
        code = share.code("ci/1", min_validity="5s")
        assert code.valid_from is not None
        assert code.valid_from.isoformat() == "2030-01-01T00:00:30+00:00"
        # Time is moved for those who wait, and each gets a code of their own.
        codes: list[vmfa.Code] = [code]
        workers = [threading.Thread(target=lambda: codes.append(share.code("ci/1"))) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len({code.step for code in codes}) == 5


def test_a_pair_is_two_consecutive_codes(still: vmfa.Share, server: vmfa.Server) -> None:
    one, two = still.pair("ci/1")
    assert one.step is not None
    assert two.step == one.step + 1
    assert one.device == two.device == "ci/1"
    with pytest.raises(vmfa.NotYet) as late:
        still.pair("ci/1")
    assert late.value.kind == "no-pair-yet"
    with pytest.raises(vmfa.NotYet):
        still.pair("ci/1", wait=True, timeout="1s")
    server.advance("2m")
    later, _ = still.pair("ci/1", wait=True)
    assert later.step is not None
    assert later.step > one.step + 1


def test_what_was_not_used_is_given_back_by_its_claim(still: vmfa.Share) -> None:
    code = still.code("ci/1")
    for same in (copy.deepcopy(code), pickle.loads(pickle.dumps(code))):  # noqa: S301
        assert same.claim == code.claim
    still.release(code)
    again = still.code("ci/1", timeout=0)
    assert (again, again.step) == (code, code.step)
    with pytest.raises(vmfa.Refused) as refused:
        still.release(code)
    assert refused.value.kind == "not-handed-out"
    pair = still.pair("ci/2")
    still.release(pair)
    assert still.pair("ci/2") == pair


def test_what_has_no_claim_is_not_given_back(devices: vmfa.Home, still: vmfa.Share) -> None:
    devices.add("ci/counter", f"otpauth://hotp/x?secret={SEED}&counter=1")
    # The server reads which devices there are again some time later.
    assert met(lambda: "ci/counter" in names_of(still))
    code = still.code("ci/counter")
    assert (code, code.counter, code.claim) == ("287082", 1, None)
    others: list[vmfa.Code] = [code, vmfa.Code("123456"), "123456"]  # type: ignore[list-item]
    for other in others:
        with pytest.raises(vmfa.UsageError, match="no claim"):
            still.release(other)
    with pytest.raises(vmfa.UsageError, match="no claim"):
        still.release((still.code("ci/1"), still.code("ci/2")))


def test_devices_are_those_of_the_access_token(still: vmfa.Share) -> None:
    devices = still.devices()
    assert [device.name for device in devices] == list(CI)
    first = devices[0]
    assert (first.issuer, first.account, first.type) == ("Example", "ci/1", "totp")
    assert (first.algorithm, first.digits, first.period, first.serial_number) == ("SHA1", 6, 30, None)
    assert still.code(first).device == "ci/1"
    for name in ("prod/1", "ci/9", "other/*"):
        with pytest.raises(vmfa.NoSuchDevice) as missing:
            still.code(name, timeout=0)
        assert missing.value.kind == "no-such-device"
        assert "Share.devices() lists" in str(missing.value)
        assert "Home" not in str(missing.value)
    with pytest.raises(vmfa.UsageError) as caught:
        still.code(SEED)
    assert caught.value.kind == "secret-in-argv"
    with pytest.raises(vmfa.NoSuchDevice):
        still.code("--help", timeout=0)


def test_settings_come_from_the_environment(
    share: vmfa.Share, devices: vmfa.Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(vmfa.UsageError, match="no server is named") as told:
        vmfa.Share()
    assert "VMFA_URL" in str(told.value)
    monkeypatch.setenv("VMFA_URL", share.url)
    for empty in (None, ""):
        with pytest.raises(vmfa.UsageError, match="no access token"):
            vmfa.Share(token=empty)
    monkeypatch.setenv("VMFA_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(vmfa.InputError, match="VMFA_TOKEN_FILE"):
        vmfa.Share().devices()
    monkeypatch.setenv("VMFA_TOKEN", "")
    # A relative path stays what it was, and what the file has may change.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VMFA_TOKEN_FILE", "token")
    by_file = vmfa.Share()
    monkeypatch.chdir("/")
    other = new_token(devices, "other", "prod/*")
    (tmp_path / "token").write_text(f"{other}\n")
    # The server reads new tokens some milliseconds later.
    assert met(lambda: names_of(by_file) == ["prod/1"])
    # The home's own variables are another matter.
    monkeypatch.setenv("VMFA_TOKEN", other)
    monkeypatch.setenv("VMFA_CLOCK", "+1d")
    monkeypatch.setenv("VMFA_VAULT", "keyring")
    assert len(vmfa.Share().code("prod/1")) == 6
    with vmfa.Home() as home:
        assert home.devices() == []


def names_of(share: vmfa.Share) -> list[str]:
    """Names of the devices, if the access token is known."""
    with contextlib.suppress(vmfa.ServerError):
        return [device.name for device in share.devices()]
    return []


def test_errors_are_told_apart(share: vmfa.Share, server: vmfa.Server, tmp_path: Path) -> None:
    wrong = "vmfa_" + "A" * 43
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        cases: list[tuple[str, str, str | Path | None, type[vmfa.Error]]] = [
            ("unauthorized", share.url, None, vmfa.ServerError),
            ("server-unreachable", closed, None, vmfa.ServerError),
            ("server-answer", server.endpoint, None, vmfa.ServerError),
            ("usage", "ftp://127.0.0.1", None, vmfa.UsageError),
            ("file", share.url, tmp_path / "none.pem", vmfa.InputError),
        ]
        for kind, url, bundle, error in cases:
            with pytest.raises(error) as told:
                vmfa.Share(url, wrong, bundle).code("ci/1", timeout=0)
            assert told.value.kind == kind
            assert wrong not in str(told.value)


def test_who_asks_too_often_is_told(devices: vmfa.Home) -> None:
    with sharing(devices, "--rate", "1") as service:
        share = service.client()
        kinds = [kind_of(share) for _ in range(40)]
    assert set(kinds) == {"", "rate-limit"}


def kind_of(share: vmfa.Share) -> str:
    """How the server refuses to list its devices, if it does."""
    try:
        share.devices()
    except vmfa.ServerError as error:
        return error.kind
    return ""


def test_a_server_that_ends_tells_those_who_wait(devices: vmfa.Home) -> None:
    devices.add("ci/hour", f"otpauth://totp/x?secret={SEED}&period=3600")
    told: list[vmfa.Error] = []
    with sharing(devices) as service:
        share = service.client()
        share.code("ci/hour")

        def wait() -> None:
            with pytest.raises(vmfa.ServerError) as ends:
                share.code("ci/hour", timeout="1h")
            told.append(ends.value)

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert met(lambda: waits(service) == 1)
        service.process.terminate()
        waiting.join()
    assert [error.kind for error in told] == ["server-ends"]


def waits(service: Service) -> int:
    """How many requests the server hasn't answered yet."""
    asked = urllib.request.Request(f"{service.url}/metrics", headers={"Authorization": f"Bearer {service.token}"})  # noqa: S310
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        lines: list[str] = answer.read().decode().splitlines()
    (line,) = (line for line in lines if line.startswith("vmfa_requests_in_progress "))
    return int(line.split()[1])


def test_over_tls_with_a_certificate_that_is_trusted(devices: vmfa.Home, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "basicConstraints=CA:FALSE", "-addext", "subjectAltName=IP:127.0.0.1"]
    where = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*make.split(), *names, *where], capture_output=True, check=True)
    with sharing(devices, "--tls-cert", str(certificate), "--tls-key", str(key)) as service:
        assert service.url.startswith("https://")
        assert len(vmfa.Share(service.url, service.token, certificate).code("ci/1")) == 6
        with pytest.raises(vmfa.ServerError) as told:
            service.client().code("ci/2")
        assert told.value.kind == "server-unreachable"


def test_the_access_token_is_nowhere_to_be_seen(
    devices: vmfa.Home, suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = suite.path / "vmfa"
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>"{suite.path}/seen"\nexec "{vmfa.binary()}" "$@"\n')
    spy.chmod(0o700)
    with sharing(devices) as service:
        assert service.token not in repr(service.client())
        assert service.url in repr(service.client())
        monkeypatch.setenv("VMFA_BINARY", str(spy))
        monkeypatch.setenv("TOKEN", service.token)
        suite.makepyfile(f"""
            import os
            import pytest
            import vmfa

            def test_what_was_given():
                share = vmfa.Share("{service.url}", os.environ["TOKEN"])
                share.code("ci/1")
                share.code("prod/1")

            def test_without_a_server():
                vmfa.Share(token=os.environ["TOKEN"])

            @pytest.mark.parametrize("url", ["http://127.0.0.1:1", "x"])
            def test_what_the_environment_has(url, monkeypatch):
                monkeypatch.setenv("VMFA_TOKEN", os.environ["TOKEN"])
                vmfa.Share(url).pair("ci/1")
        """)
        result = suite.runpytest_subprocess("--showlocals", "--full-trace")
    result.assert_outcomes(failed=4)
    said = result.stdout.str()
    assert "no device is named `prod/1`" in said
    assert "no server is named" in said
    assert "can't be reached" in said
    assert "Share('http" in said
    assert service.token not in said
    assert "--fresh" in (suite.path / "seen").read_text()
    assert service.token not in (suite.path / "seen").read_text()


FIXTURES = """
    import os
    import pytest

    @pytest.mark.parametrize("number", range(4))
    def test_a_pool(vmfa_code, number):
        code = vmfa_code("ci/*", timeout=60)
        with open("codes", "a") as file:
            file.write(f"{code.device} {code.step}\\n")
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_the_fixture_takes_codes_from_the_server(
    devices: vmfa.Home,
    server: vmfa.Server,
    suite: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
) -> None:
    suite.makepyfile(FIXTURES)
    scratch = suite.mkdir("tmp")
    with sharing(devices, "--clock", server.endpoint, "--jump") as service:
        monkeypatch.setenv("VMFA_URL", service.url)
        monkeypatch.setenv("VMFA_TOKEN", service.token)
        monkeypatch.setenv("TMPDIR", str(scratch))
        suite.runpytest_subprocess("-W", "error", *options).assert_outcomes(passed=4)
    codes = (suite.path / "codes").read_text().splitlines()
    assert len(codes) == len(set(codes)) == 4
    assert {line.split()[0] for line in codes} == set(CI)


def test_a_test_that_uses_another_fixture_keeps_the_home(
    devices: vmfa.Home, suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.makepyfile(f"""
        import pytest
        import vmfa

        URI = "otpauth://totp/Example:me?secret={SEED}"

        @pytest.fixture
        def pool(vmfa_home):
            vmfa_home.add("ci/mine", URI, replace=True)
            return "ci/*"

        def test_of_a_pool(pool, vmfa_code):
            assert vmfa_code(pool, window=1).device == "ci/mine"

        def test_of_a_device(vmfa_device, vmfa_code):
            device = vmfa_device(URI)
            assert vmfa_code(device, window=3).device == device.name

        def test_of_the_stand_in(vmfa_code, vmfa_clock):
            with pytest.raises(vmfa.NoSuchDevice):
                vmfa_code("ci/1")

        def test_that_asks_for_it_late(vmfa_code, request):
            assert vmfa_code("ci/1", timeout=60).device == "ci/1"
            device = request.getfixturevalue("vmfa_device")()
            assert vmfa_code(device).device == device.name

        def test_of_the_server(vmfa_code):
            share = vmfa.Share()
            assert vmfa_code(share.devices()[1]).device == "ci/2"
    """)
    with sharing(devices) as service:
        monkeypatch.setenv("VMFA_URL", service.url)
        monkeypatch.setenv("VMFA_TOKEN", service.token)
        suite.runpytest_subprocess("-W", "error").assert_outcomes(passed=5)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_pytest_that_is_killed_waits_for_no_code(
    devices: vmfa.Home, suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    devices.add("ci/hour", f"otpauth://totp/x?secret={SEED}&period=3600")
    suite.makepyfile("""
        def test_waits(vmfa_code):
            vmfa_code("ci/hour")
            vmfa_code("ci/hour", timeout="1h")
    """)
    with sharing(devices) as service:
        monkeypatch.setenv("VMFA_URL", service.url)
        monkeypatch.setenv("VMFA_TOKEN", service.token)
        command = [sys.executable, "-m", "pytest", "-n", workers]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as run:
            try:
                assert met(lambda: waits(service) == 1)
            finally:
                run.kill()
        assert met(lambda: waits(service) == 0, 2)


def test_a_server_without_an_access_token_is_told(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMFA_URL", "http://127.0.0.1:1")
    suite.makepyfile("def test_takes_a_code(vmfa_code): pass\ndef test_has_devices(vmfa_home, vmfa_code): pass")
    result = suite.runpytest_subprocess()
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines("*there is no access token: set VMFA_TOKEN*")
