"""The supervisor with real processes: started in order, killed, started again, and never left behind."""

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psycopg
import pytest
from support.network import wait_for

from ecg_center import supervised
from ecg_center.embedded.postgres import EmbeddedPostgres
from ecg_center.embedded.roles import plain_url
from ecg_center.processes import is_running
from ecg_center.supervisor import Service, Supervisor, SupervisorError

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"


def python(name: str, program: str, *words: str, **more: object) -> Service:
    return Service(name, [sys.executable, "-c", textwrap.dedent(program), *words], **more)


def listening(port: int) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    return check


async def test_services_start_in_order_and_stop_in_reverse(tmp_path: Path, free_port: Callable[[], int]) -> None:
    program = """
        import socket, signal, sys, time
        name, port, journal = sys.argv[1:]
        def note(what):
            with open(journal, "a") as file: file.write(f"{what} {name}\\n")
        def stop(*_):
            note("stop"); sys.exit(0)
        signal.signal(signal.SIGTERM, stop)
        time.sleep(0.2)
        note("start")
        server = socket.create_server(("127.0.0.1", int(port)))
        while True: server.accept()[0].close()
    """
    journal = tmp_path / "journal"
    services = []
    for name in ("first", "second", "third"):
        port = free_port()
        services.append(python(name, program, name, str(port), str(journal), ready=listening(port)))
    async with Supervisor(services, tmp_path / "state", terminal=None) as supervisor:
        assert all(status.ready for status in supervisor.status().values())
    want = ["start first", "start second", "start third", "stop third", "stop second", "stop first"]
    assert journal.read_text().splitlines() == want


@pytest.mark.parametrize("code", [0, 1])
async def test_whatever_ends_is_started_again(tmp_path: Path, code: int) -> None:
    once = tmp_path / "once"
    program = f"""
        import os, sys, time
        if not os.path.exists({str(once)!r}):
            open({str(once)!r}, "w").close()
            sys.exit({code})
        time.sleep(600)
    """
    terminal = io.StringIO()
    async with Supervisor([python("worker", program)], tmp_path, terminal) as supervisor:
        async with asyncio.timeout(10):
            while supervisor.status()["worker"].restarts == 0:
                await asyncio.sleep(0.02)
        await supervisor.wait_ready("worker")
    assert f"ended with exit code {code}; starting it again" in terminal.getvalue()


async def test_kill_9_is_healed_in_under_a_second(tmp_path: Path) -> None:
    async with Supervisor([python("web", SLEEPER), python("other", SLEEPER)], tmp_path, None) as supervisor:
        other = supervisor.pid("other")
        for _ in range(3):
            killed = supervisor.kill("web")
            fresh = await supervisor.wait_restarted("web", killed, timeout_s=5)
            assert fresh != killed
            assert not is_running(killed)
        assert supervisor.pid("other") == other
        assert supervisor.status()["web"].restarts == 3


async def test_children_of_a_killed_process_end_too(tmp_path: Path) -> None:
    program = """
        import subprocess, sys, time
        deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
        child = subprocess.Popen([sys.executable, "-c", deaf])
        print(child.pid, flush=True)
        time.sleep(600)
    """
    async with Supervisor([python("web", program)], tmp_path, None) as supervisor:
        log = tmp_path / "logs" / "web.log"
        async with asyncio.timeout(10):
            while not log.exists() or not log.read_text().strip():
                await asyncio.sleep(0.02)
        grandchild = int(log.read_text().split()[0])
        killed = supervisor.kill("web")
        await supervisor.wait_restarted("web", killed)
        assert not is_running(grandchild)


async def test_a_service_that_never_starts_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised, "FIRST_BACKOFF_S", 0.01)
    before = python("before", SLEEPER)
    broken = python("web", "raise SystemExit('no key ECG_X')")
    supervisor = Supervisor([before, broken], tmp_path, None)
    with pytest.raises(SupervisorError, match=r"web ended with exit code 1, 4 times in a row.*no key ECG_X.*web\.log"):
        await supervisor.start()
    assert supervisor.status() == {}


async def test_a_missing_program_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervised, "FIRST_BACKOFF_S", 0.01)
    with pytest.raises(SupervisorError, match=r"web could not be started.*No such file"):
        await Supervisor([Service("web", ["/no/such/program"])], tmp_path, None).start()


async def test_a_service_that_hangs_at_start_is_given_up(tmp_path: Path) -> None:
    async def never() -> bool:
        raise RuntimeError("not yet")

    with pytest.raises(SupervisorError, match="web is not ready after 0 s"):
        await Supervisor([python("web", SLEEPER, ready=never, ready_timeout_s=0.3)], tmp_path, None).start()


async def test_a_crash_loop_is_one_word_and_goes_on_trying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervised, "FIRST_BACKOFF_S", 0.01)
    broken = tmp_path / "broken"
    program = f"import os, sys, time; os.path.exists({str(broken)!r}) and sys.exit('it is broken'); time.sleep(600)"
    terminal = io.StringIO()
    async with Supervisor([python("web", program)], tmp_path, terminal) as supervisor:
        broken.touch()
        supervisor.kill("web")
        async with asyncio.timeout(20):
            while "4 times in a row" not in terminal.getvalue():
                await asyncio.sleep(0.02)
        broken.unlink()
        await supervisor.wait_ready("web", 20)
    assert terminal.getvalue().count("times in a row") == 1
    assert "it is broken" in terminal.getvalue()


async def test_a_service_that_ignores_its_stop_signal_is_killed(tmp_path: Path) -> None:
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    terminal = io.StringIO()
    supervisor = Supervisor([python("deaf", program, stop_timeout_s=0.3)], tmp_path, terminal)
    await supervisor.start()
    async with asyncio.timeout(10):
        while "deaf | deaf" not in terminal.getvalue():
            await asyncio.sleep(0.02)
    pid = supervisor.pid("deaf")
    await supervisor.stop()
    assert not is_running(pid)
    assert "killed" in terminal.getvalue()


async def test_two_supervisors_never_share_a_state_folder(tmp_path: Path) -> None:
    async with Supervisor([python("web", SLEEPER)], tmp_path, None) as first:
        pid = first.pid("web")
        with pytest.raises(SupervisorError, match=rf"process {os.getpid()} already runs with the state folder"):
            await Supervisor([python("web", SLEEPER)], tmp_path, None).start()
        assert first.pid("web") == pid
    async with Supervisor([python("web", SLEEPER)], tmp_path, None):
        pass


async def test_logs_are_bounded_and_long_lines_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervised, "LOG_BYTES", 20_000)
    program = """
        import time
        print("x" * 200_000)
        for number in range(2000): print(f"{number:0100d}")
        print("end", flush=True)
        time.sleep(600)
    """
    terminal = io.StringIO()
    async with Supervisor([python("talker", program)], tmp_path, terminal):
        async with asyncio.timeout(20):
            while "| end" not in terminal.getvalue():
                await asyncio.sleep(0.02)
    files = list((tmp_path / "logs").iterdir())
    assert sorted(file.name for file in files) == ["talker.log", "talker.log.1", "talker.log.2"]
    assert sum(file.stat().st_size for file in files) < 3 * 20_000 + supervised.LONGEST_LINE
    assert max(len(line) for line in terminal.getvalue().splitlines()) <= 160


async def test_more_services_may_join(tmp_path: Path) -> None:
    async with Supervisor([python("one", SLEEPER)], tmp_path, None) as supervisor:
        await supervisor.add(python("two", SLEEPER))
        assert set(supervisor.status()) == {"one", "two"}
        with pytest.raises(ValueError, match="runs already"):
            await supervisor.add(python("two", SLEEPER))
        with pytest.raises(SupervisorError, match=r"no service 'three'; there are one, two"):
            supervisor.kill("three")


COMMAND = """
import json, os, sys
from ecg_center.supervisor import Service, Supervisor
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
kind = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', sys.argv[1]]); time.sleep(600)"
services = [
    Service("deaf", [sys.executable, "-c", deaf], stop_timeout_s=0.5),
    Service("parent", [sys.executable, "-c", kind, deaf], stop_timeout_s=0.5),
]
Supervisor(services, sys.argv[1], None).run()
"""


@pytest.fixture
async def command(tmp_path: Path) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A supervisor in a process of its own, with a deaf child and a child that has a deaf child."""
    process = subprocess.Popen([sys.executable, "-c", COMMAND, str(tmp_path)], start_new_session=True)
    wait_for(lambda: len(family(process.pid)) >= 5, "the supervisor's processes do not come up")
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


def family(pid: int) -> set[int]:
    """The process and everything below it."""
    if Path("/proc/self/stat").exists():  # a small machine has no ps
        parents = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
                head, _, tail = path.read_text().rpartition(")")
                parents[int(head.split()[0])] = int(tail.split()[1])
    else:
        rows = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        parents = {int(row.split()[0]): int(row.split()[1]) for row in rows.splitlines()}
    found = {pid} & set(parents)
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


@pytest.mark.faults
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_ctrl_c_and_sigterm_leave_nothing_running(command: subprocess.Popen[bytes], sent: signal.Signals) -> None:
    members = family(command.pid)
    command.send_signal(sent)
    assert await asyncio.to_thread(command.wait, 15) == 0
    assert [pid for pid in members if is_running(pid)] == []


@pytest.mark.faults
async def test_kill_9_of_the_supervisor_leaves_nothing_running(
    command: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    members = family(command.pid)
    command.kill()
    command.wait()
    # The folder stays taken until the last process of the killed one is gone, and a new start waits for that.
    async with Supervisor([python("web", SLEEPER)], tmp_path, None):
        assert [pid for pid in members if is_running(pid)] == []


@pytest.mark.faults
async def test_kill_9_of_its_whole_group_leaves_nothing_running(command: subprocess.Popen[bytes]) -> None:
    members = family(command.pid)
    os.killpg(command.pid, signal.SIGKILL)
    command.wait()
    wait_for(lambda: not any(is_running(pid) for pid in members), "processes stay behind")


@pytest.mark.faults
async def test_postgres_under_the_supervisor_survives_every_kill(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    server = EmbeddedPostgres(tmp_path / "pg").prepare()
    service = Service("postgres", server.command(), ready=server.ready, stop_signal=server.stop_signal)
    try:
        async with Supervisor([service], tmp_path / "state", None) as supervisor:
            urls = server.ensure_roles()
            with psycopg.connect(plain_url(urls.owner), autocommit=True) as connection:
                connection.execute("create table kept (n int)")
            for number in range(3):
                with psycopg.connect(plain_url(urls.owner), autocommit=True) as connection:
                    connection.execute("insert into kept values (%s)", [number])
                killed = supervisor.kill("postgres")
                await supervisor.wait_restarted("postgres", killed, 30)
            with psycopg.connect(plain_url(urls.owner), autocommit=True) as connection:
                rows = connection.execute("select n from kept order by n").fetchall()
                assert rows == [(0,), (1,), (2,)]
                # A client stays connected: a fast shutdown does not wait for it.
                async with asyncio.timeout(10):
                    await supervisor.stop()
        log = (tmp_path / "state" / "logs" / "postgres.log").read_text()
        assert "database system is shut down" in log
    finally:
        server.reset()
