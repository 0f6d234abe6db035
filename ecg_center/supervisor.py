"""Who keeps the processes of one machine running, and leaves none behind?

One supervisor for foreground child processes: started in order, each ready before the next; started again whenever
one ends, whatever its exit code (a job worker ends with 0 when PostgreSQL restarts); stopped in reverse order.
Their output goes to files of bounded size in the state folder and, shortened, to the terminal.

Nothing outlives it, not even after ``kill -9``: on Linux the kernel tells each child when its parent dies, and on
every system a small *undertaker* process waits at a pipe and ends what is left (:mod:`ecg_center.processes`).

It is for the demo, tests and small set-ups. A server uses systemd, see ``deploy/systemd``.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TextIO

import structlog

from ecg_center.processes import is_running
from ecg_center.supervised import Child, Service, Status, SupervisorError

_log = structlog.get_logger(__name__)

TERMINAL_COLUMNS = 160
LOCK_WAIT_S = 20.0
"""After a kill -9 the undertaker of the last supervisor needs at most its longest stop time to clear up."""


class Supervisor:
    """Keeps ``services`` running in the current event loop.

    ``run()`` is the whole life of a command. Programs and tests use ``async with`` (or ``start`` and ``stop``),
    ``add``, ``kill``, ``wait_ready`` and ``wait_restarted``. The loop's thread must live as long as the children.

    Args:
        services: in the order of their start.
        state_dir: holds the lock and ``logs/``; two supervisors never share one.
        terminal: where short lines go; None for silence.
        echo: whether the children's own output goes there too; what the supervisor has to say of them always does.
    """

    def __init__(
        self,
        services: Sequence[Service],
        state_dir: Path | str,
        terminal: TextIO | None = sys.stderr,
        *,
        echo: bool = True,
    ) -> None:
        names = [service.name for service in services]
        if len(set(names)) != len(names):
            raise ValueError(f"service names are not unique: {names}")
        self.state_dir = Path(state_dir).absolute()
        self._services = list(services)
        self._terminal = terminal
        self._echo = echo
        self._children: dict[str, Child] = {}
        self._lock: IO[str] | None = None
        self._undertaker: subprocess.Popen[bytes] | None = None
        self._stop_asked = asyncio.Event()

    # --- the whole life ---------------------------------------------------------------------------------

    def run(self) -> None:
        """Start all, wait for Ctrl-C or SIGTERM, stop all.

        Raises:
            SupervisorError: where a service does not start; the others are stopped first.
        """
        asyncio.run(self.serve())

    async def serve(self) -> None:
        """As :meth:`run`, in a running event loop."""
        with self.signals():
            starting = asyncio.ensure_future(self.start())
            asked = asyncio.ensure_future(self.wait_stop_asked())
            try:
                await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
                if starting.done():
                    await starting  # its error, if any
                    await asked
            finally:
                for task in (starting, asked):
                    task.cancel()
                await asyncio.gather(starting, asked, return_exceptions=True)
                await self.stop()

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """While inside, Ctrl-C, SIGTERM and a closed terminal ask for a stop; a second time, for a quick one."""
        loop = asyncio.get_running_loop()
        wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for one in wanted:
            loop.add_signal_handler(one, self._ask_stop)
        try:
            yield
        finally:
            for one in wanted:
                loop.remove_signal_handler(one)

    def _ask_stop(self) -> None:
        if self._stop_asked.is_set():
            self.say("stopping at once")
            for child in self._children.values():
                child.kill_group()
        self._stop_asked.set()

    async def wait_stop_asked(self) -> None:
        """Wait for Ctrl-C, SIGTERM or SIGHUP; inside :meth:`signals`."""
        await self._stop_asked.wait()

    # --- start and stop ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take the state folder and start every service, each ready before the next.

        Raises:
            SupervisorError: another supervisor runs here, or a service does not become ready; all are stopped.
        """
        await self._take_lock()
        try:
            self._start_undertaker()
            for service in self._services:
                await self._launch(service)
        except BaseException:
            await self.stop()
            raise

    async def add(self, service: Service) -> None:
        """Start one more service and wait until it is ready.

        Raises:
            SupervisorError: when it does not become ready; it is stopped, the others go on.
        """
        if service.name in self._children:
            raise ValueError(f"a service {service.name!r} runs already")
        self._services.append(service)
        try:
            await self._launch(service)
        except BaseException:
            await self._children.pop(service.name).stop()
            self._services.remove(service)
            raise

    async def _launch(self, service: Service) -> None:
        child = Child(service, self.state_dir / "logs", self.say, self.tell_undertaker, echo=self._echo)
        self._children[service.name] = child
        await child.start()

    async def stop(self) -> None:
        """Stop everything in reverse order and let go of the state folder. Idempotent."""
        for child in reversed(list(self._children.values())):
            await child.stop()
        self._children.clear()
        if self._undertaker is not None and self._undertaker.stdin is not None:
            self._undertaker.stdin.close()
            await asyncio.to_thread(self._undertaker.wait)
            self._undertaker = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # --- for programs and tests -------------------------------------------------------------------------

    def status(self) -> dict[str, Status]:
        """Every service by name."""
        return {name: child.status() for name, child in self._children.items()}

    def pid(self, name: str) -> int:
        """The process of a service.

        Raises:
            SupervisorError: where it does not run at this moment.
        """
        pid = self._child(name).pid
        if pid is None:
            raise SupervisorError(f"{name} does not run at this moment")
        return pid

    def kill(self, name: str, sent: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a service's process, as a fault would; answers the process it hit."""
        pid = self.pid(name)
        os.kill(pid, sent)
        return pid

    async def wait_ready(self, name: str, timeout_s: float = 60.0) -> int:
        """Wait until a service is ready; answers its process."""
        return await self.wait_restarted(name, -1, timeout_s)

    async def wait_restarted(self, name: str, killed_pid: int, timeout_s: float = 60.0) -> int:
        """Wait until a service is ready in another process than ``killed_pid``; answers that process.

        Raises:
            SupervisorError: when it is not within ``timeout_s``, with its last words.
        """
        child = self._child(name)
        deadline = time.monotonic() + timeout_s
        while child.pid in {None, killed_pid} or not child.is_ready:
            if time.monotonic() > deadline:
                raise SupervisorError(f"{name} is not ready after {timeout_s:.0f} s. {child.last_words()}")
            await asyncio.sleep(0.01)
        return self.pid(name)

    def _child(self, name: str) -> "Child":
        try:
            return self._children[name]
        except KeyError:
            raise SupervisorError(f"no service {name!r}; there are {', '.join(self._children) or 'none'}") from None

    # --- shared with the children -----------------------------------------------------------------------

    def say(self, text: str, name: str = "") -> None:
        """One short line on the terminal."""
        if self._terminal is None:
            return
        width = max(len(service.name) for service in self._services) if self._services else 0
        line = f"{name:<{width}} | {text}" if name else text
        try:
            print(line[:TERMINAL_COLUMNS], file=self._terminal, flush=True)
        except (OSError, ValueError):  # the terminal is gone, the work goes on
            self._terminal = None

    def tell_undertaker(self, words: str) -> None:
        """``add …`` or ``del …``; an undertaker that was killed is not missed until we are."""
        if self._undertaker is None or self._undertaker.stdin is None:
            return
        try:
            self._undertaker.stdin.write(f"{words}\n".encode())
            self._undertaker.stdin.flush()
        except OSError:
            _log.warning("undertaker_gone", effect="after kill -9 of the supervisor some processes may stay")

    def _start_undertaker(self) -> None:
        assert self._lock is not None
        self._undertaker = subprocess.Popen(
            [sys.executable, "-m", "ecg_center.processes", "undertaker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=[self._lock.fileno()],  # the folder stays taken until the last process is gone
        )

    async def _take_lock(self) -> None:
        self.state_dir.mkdir(parents=True, exist_ok=True)
        path = self.state_dir / "supervisor.lock"
        lock = path.open("a+", encoding="utf-8")
        deadline = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                lock.seek(0)
                holder = lock.read().strip()
                gone = holder.isdigit() and not is_running(int(holder))
                if not gone or time.monotonic() > deadline:
                    lock.close()
                    raise SupervisorError(_taken(self.state_dir, holder, gone)) from None
                await asyncio.sleep(0.1)
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock


def _taken(state_dir: Path, holder: str, gone: bool) -> str:
    if gone:
        return f"the processes of an earlier run in {state_dir} do not end; see `ps`, stop them and start again"
    return (
        f"process {holder or '(unknown)'} already runs with the state folder {state_dir}. "
        f"Stop it first (Ctrl-C where it runs, or: kill {holder}), or choose another state folder."
    )


__all__ = ["Service", "Status", "Supervisor", "SupervisorError"]
