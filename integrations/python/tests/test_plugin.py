"""The pytest plugin, by running pytest in pytest."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import PLUGIN, ROOT, SEED, gone

SIGNS_IN = """
    def test_a_code_is_taken_once(vmfa_server, vmfa_device, vmfa_code):
        device = vmfa_device()
        sts = vmfa_server.boto3("sts")
        code = vmfa_code(device)
        sts.get_session_token(SerialNumber=device.serial_number, TokenCode=code)
        sts.get_session_token(SerialNumber=device.serial_number, TokenCode=code)
"""


def test_fixtures_and_options_are_documented_in_one_line(suite: pytest.Pytester) -> None:
    said = suite.runpytest("--fixtures").stdout.str()
    for name in ("vmfa_home", "vmfa_server", "vmfa_device", "vmfa_code", "vmfa_clock"):
        assert f"\n{name} " in said
        after = said.partition(f"\n{name} ")[2].splitlines()
        assert after[1].startswith("    ")
        assert after[2] == ""
    said = suite.runpytest("--help").stdout.str()
    assert all(f"\n  {name} " in said for name in ("vmfa_time", "vmfa_scenario", "vmfa_upstream", "vmfa_scope"))


def test_fixtures_give_devices_codes_and_time(suite: pytest.Pytester) -> None:
    suite.makepyfile(f"""
        import pytest
        import vmfa

        @pytest.mark.parametrize("again", range(9))
        def test_a_device_lasts_as_long_as_its_test(vmfa_home, vmfa_server, vmfa_device, vmfa_code, again):
            assert vmfa_home.devices() == []
            device = vmfa_device()
            sts = vmfa_server.boto3("sts")
            for _ in range(3):
                sts.get_session_token(SerialNumber=device.serial_number, TokenCode=vmfa_code(device))

        def test_a_source(vmfa_device, vmfa_code):
            device = vmfa_device("{SEED}", "ci/1")
            assert vmfa_code("ci/*", min_validity="1s").device == device.name == "ci/1"

        def test_time(vmfa_clock, vmfa_server):
            before = vmfa_clock.now
            assert (vmfa_clock.advance("30s") - before).seconds == 30
            assert vmfa_clock.set(before.replace(year=2200)) == vmfa_server.now

        @pytest.mark.parametrize("again", range(2))
        def test_a_device_of_the_stand_in_has_its_clock(vmfa_device, vmfa_code, again):
            assert vmfa_code(vmfa_device()).valid_until.year == 2200

        def test_without_a_stand_in_time_is_real(vmfa_home, vmfa_device, vmfa_code):
            device = vmfa_device("{SEED}")
            assert vmfa_home.clock is None
            assert vmfa_code(device).valid_until.year < 2200
    """)
    suite.runpytest_subprocess("-W", "error").assert_outcomes(passed=14)


def test_options_are_those_of_the_ini_file(suite: pytest.Pytester) -> None:
    suite.makeini(f"""
        [pytest]
        addopts = {PLUGIN}
        vmfa_time = virtual=2040-01-01T00:00:00Z
        vmfa_scenario = users.toml
        vmfa_upstream = http://127.0.0.1:9
    """)
    suite.makefile(".toml", users='[[user]]\nname = "alice"\naccess_key = true\n')
    suite.makepyfile("""
        def test_all(vmfa_server):
            assert vmfa_server.now.year == 2040
            assert vmfa_server.boto3("sts", "alice").get_caller_identity()["Arn"].endswith("/alice")
    """)
    suite.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_report_of_a_failed_test_says_why_a_code_was_refused(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        SIGNS_IN
        + """
    def test_fails_without_a_call(vmfa_server):
        assert False

    def test_passes(vmfa_server):
        vmfa_server.boto3("iam").list_users()
    """
    )
    result = suite.runpytest_subprocess()
    result.assert_outcomes(failed=2, passed=1)
    said = result.stdout.str()
    assert said.count("vmfa: what the stand-in answered") == 1
    assert "has been used" in said
    assert "ListUsers" not in said


def test_secrets_are_in_no_traceback(suite: pytest.Pytester) -> None:
    suite.makepyfile(f"""
        from pathlib import Path
        def test_taken(vmfa_home):
            secret = "".join({list(SEED)!r})
            vmfa_home.add("x", secret)
            vmfa_home.add("x", secret)
    """)
    said = suite.runpytest_subprocess().stdout.str()
    assert "name-taken" in said or "is there already" in said or "taken" in said
    assert SEED not in said


def test_workers_share_a_home_and_a_stand_in(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
        import pathlib
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_share(vmfa_home, vmfa_server, number, worker_id):
            pathlib.Path(f"seen-{number}").write_text(f"{vmfa_home.path} {vmfa_server.pid} {worker_id}")
    """)
    suite.runpytest_subprocess("-n", "4", "-W", "error").assert_outcomes(passed=8)
    seen = [path.read_text().split() for path in suite.path.glob("seen-*")]
    assert len(seen) == 8
    assert len({worker for *_, worker in seen}) == 4
    ((path, server),) = {(path, server) for path, server, _ in seen}
    assert not Path(path).exists()
    assert gone(int(server), 0.1)


def test_a_scope_that_is_none_is_an_error(suite: pytest.Pytester) -> None:
    result = suite.runpytest_subprocess("-o", "vmfa_scope=all")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*vmfa_scope is `run` or `worker`, not `all`*")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("vmfa_time=sometimes", "*vmfa_time is `virtual`, *, not `sometimes`*"),
        ("vmfa_scenario=none.toml", "*vmfa_scenario names *none.toml, which is not a file*"),
    ],
)
def test_a_mistyped_option_is_told_before_any_test_runs(suite: pytest.Pytester, option: str, said: str) -> None:
    result = suite.runpytest_subprocess("-o", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(said)


def test_workers_may_have_their_own(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
        import pathlib
        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_own(vmfa_server, number, worker_id):
            pathlib.Path(f"seen-{number}").write_text(f"{vmfa_server.pid} {worker_id}")
    """)
    suite.runpytest_subprocess("-n", "2", "-o", "vmfa_scope=worker").assert_outcomes(passed=4)
    seen = {tuple(path.read_text().split()) for path in suite.path.glob("seen-*")}
    assert len({server for server, _ in seen}) == len({worker for _, worker in seen}) == 2


def test_a_report_has_no_other_workers_events(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
        import pathlib
        import time

        def meet(me, other):
            pathlib.Path(me).touch()
            end = time.monotonic() + 60
            while not pathlib.Path(other).exists():
                assert time.monotonic() < end
                time.sleep(0.01)

        def test_fails(vmfa_server, vmfa_device):
            meet("a", "b")
            vmfa_server.boto3("iam").list_groups()
            meet("c", "d")
            assert False

        def test_passes(vmfa_server, vmfa_device):
            meet("b", "a")
            vmfa_server.boto3("iam").create_user(UserName="bob")
            vmfa_device(user="bob")
            meet("d", "c")
    """)
    result = suite.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=1, failed=1)
    said = result.stdout.str()
    assert "ListGroups" in said
    assert "CreateUser" not in said
    assert "EnableMFADevice" not in said


def test_eight_workers_lease_from_one_pool_on_real_time() -> None:
    """The start of what `benches/python/pool.py --tests 25` does for eleven minutes."""
    done = subprocess.run(
        [sys.executable, ROOT / "benches/python/pool.py", "--tests", "2"],
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    assert "16 passed" in done.stdout
    source = (ROOT / "benches/python/test_pool.py").read_text()
    assert "sleep" not in source


WAITS = f"""
    import os
    import pathlib
    import time

    def record(vmfa_home, vmfa_server, worker_id):
        pathlib.Path(f"worker-{{worker_id}}").write_text(f"{{os.getpid()}} {{vmfa_server.pid}} {{vmfa_home.path}}")

    def test_waits_for_a_code(vmfa_home, vmfa_server, vmfa_code, worker_id):
        vmfa_home.clock = None
        vmfa_home.add("x", "otpauth://totp/x?secret={SEED}&period=80000")
        vmfa_code("x")
        record(vmfa_home, vmfa_server, worker_id)
        vmfa_code("x", timeout="1d")

    def test_takes_long(vmfa_home, vmfa_server, worker_id):
        record(vmfa_home, vmfa_server, worker_id)
        end = time.monotonic() + 60
        while not pathlib.Path("go-on").exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        vmfa_server.boto3("iam").list_users()
"""


def waits(suite: pytest.Pytester, workers: int) -> tuple[subprocess.Popen[str], dict[int, int], list[int]]:
    """Start pytest whose test waits for a code that doesn't come; its workers with their servers, and what waits."""
    suite.makepyfile(WAITS)
    command = [sys.executable, "-m", "pytest", "-n", str(workers)]
    if not workers:
        suite.makeconftest("import pytest\n@pytest.fixture\ndef worker_id(): return 'main'\n")
        command = [sys.executable, "-m", "pytest", "-p", "no:xdist"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        seen = [path.read_text().split() for path in suite.path.glob("worker-*")]
        whole = [words for words in seen if len(words) == 3]
        workers_seen = {int(worker): int(server) for worker, server, _ in whole}
        waiting = [
            process for worker in workers_seen for process in children(worker) if "--timeout" in command_of(process)
        ]
        if len(workers_seen) == max(workers, 1) and waiting:
            return run, workers_seen, waiting
        time.sleep(0.02)
    run.kill()
    raise AssertionError(run.communicate()[0])


def children(process: int) -> list[int]:
    """List a process's own, of whichever thread."""
    try:
        places = Path(f"/proc/{process}/task").iterdir()
        return [int(word) for place in places for word in (place / "children").read_text().split()]
    except OSError:
        return []


def command_of(process: int) -> str:
    """Give a process's command line."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""


@pytest.mark.parametrize("workers", [0, 2])
def test_pytest_that_is_killed_leaves_nothing_behind(suite: pytest.Pytester, workers: int) -> None:
    run, seen, waiting = waits(suite, workers)
    run.kill()
    run.wait()
    start = time.monotonic()
    # Workers of xdist take a while to notice that the controller is gone. What they started doesn't.
    assert all(gone(process, 2 - (time.monotonic() - start)) for process in [*seen.values(), *waiting])
    homes = {Path(path.read_text().split()[2]) for path in suite.path.glob("worker-*")}
    assert all(nobody_locks(home.parent) for home in homes)
    (suite.path / "go-on").touch()


def nobody_locks(directory: Path) -> bool:
    """Tell whether every file below a directory can be locked, in both ways that there are."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert any(path.name.startswith("registry") for path in files)
    for path in files:
        with path.open("r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
    return True


def test_a_worker_that_is_killed_leaves_nothing_behind_and_the_others_go_on(suite: pytest.Pytester) -> None:
    run, seen, waiting = waits(suite, 2)
    (killed,) = (worker for worker in seen if waiting[0] in children(worker))
    os.kill(killed, signal.SIGKILL)
    assert gone(waiting[0])
    (server,) = set(seen.values())
    assert not gone(server, 0.2)
    (home,) = {Path(path.read_text().split()[2]) for path in suite.path.glob("worker-*")}
    assert nobody_locks(home)
    (suite.path / "go-on").touch()
    said, _ = run.communicate(timeout=60)
    assert "1 failed, 1 passed" in said
    assert "crashed" in said
    assert gone(server)
