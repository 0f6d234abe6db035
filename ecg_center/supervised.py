"""How is one process kept running, and heard?

Started again whenever it ends, whatever its exit code, the sooner the steadier it ran; its output read to a file of
bounded size. :class:`ecg_center.supervisor.Supervisor` holds several of them.
"""

import asyncio
import collections
import contextlib
import logging
import os
import shlex
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

import structlog

from ecg_center.processes import die_with_parent, signal_group

_log = structlog.get_logger(__name__)

FIRST_BACKOFF_S = 0.2
"""A process that was killed is back before anybody looks; one that cannot start costs five forks a second once."""
MAX_BACKOFF_S = 15.0
SETTLED_S = 1.0
"""A process that was ready and lived this long does start: it is started again at once, however often it is killed."""
STEADY_S = 20.0
"""Having lived this long it is no crash loop: the next end is a first end again."""
CRASH_LOOP_ENDS = 4
"""So many ends in a row without a steady run are told to the user as one word, not as noise."""
STRAGGLER_S = 2.0
"""What a dead process's own children get to end by themselves."""
READY_POLL_S = (0.03, 0.25)
"""First and longest pause between two readiness checks."""
UNASKED_S = 0.3
"""A service without a readiness check is ready when it lives this long: a wrong setting ends it sooner."""
READY_TIMEOUT_S = 5.0
"""One check that hangs is a no."""
LOG_BYTES = 5 * 1024**2
LOG_FILES = 3
LONGEST_LINE = 16 * 1024


class SupervisorError(Exception):
    """The processes cannot be supervised; the message says which, why and what to do."""


@dataclass(frozen=True)
class Service:
    """One foreground process."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to this process's own environment."""
    ready: Callable[[], Awaitable[bool]] | None = None
    """Whether it can be used now; None: when it has run for a moment. Called often; a failure counts as no."""
    stop_timeout_s: float = 10.0
    ready_timeout_s: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(frozen=True)
class Status:
    """One service at one moment."""

    pid: int | None
    ready: bool
    restarts: int


class Child:
    """One service: its process, the task that keeps it running, its log.

    Args:
        service: what to run.
        log_dir: where its output goes.
        say: takes a line for the terminal and the service's name.
        tell_undertaker: takes ``add GROUP SIGNAL SECONDS`` and ``del GROUP``.
        echo: whether what the process says goes to the terminal too, not only to its log.
    """

    def __init__(
        self,
        service: Service,
        log_dir: Path,
        say: Callable[[str, str], None],
        tell_undertaker: Callable[[str], None],
        *,
        echo: bool = True,
    ) -> None:
        self.service = service
        self.is_ready = False
        self._say = say
        self._echo = echo
        self._tell_undertaker = tell_undertaker
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._wake = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._starts = 0
        self._bad_ends = 0
        self._recent: collections.deque[str] = collections.deque(maxlen=8)
        self.log_file = log_dir / f"{service.name}.log"
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self._log = RotatingFileHandler(self.log_file, "a", LOG_BYTES, LOG_FILES - 1, encoding="utf-8")
        self._log.setFormatter(logging.Formatter("%(message)s"))

    @property
    def pid(self) -> int | None:
        """Its process now, None between two lives."""
        return None if self._process is None else self._process.pid

    def status(self) -> Status:
        """Its process, readiness and restarts."""
        return Status(self.pid, self.is_ready, max(0, self._starts - 1))

    def last_words(self) -> str:
        """What it said last, and where the rest is."""
        words = " / ".join(list(self._recent)[-3:]) or "it said nothing"
        return f"Its last words: {words} (all of it: {self.log_file})"

    async def start(self) -> None:
        """Start it and wait until it is ready for the first time, or has clearly failed."""
        self._keeper = asyncio.create_task(self._keep_running(), name=f"supervise {self.service.name}")
        await self._first

    async def stop(self) -> None:
        """Stop it: its stop signal, then, when its time is up, SIGKILL to all of its group."""
        self._stopping = True
        self._wake.set()
        if not self._first.done():
            self._first.cancel()
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, self.service.stop_signal)
        if self._keeper is not None:
            done, _ = await asyncio.wait({self._keeper}, timeout=self.service.stop_timeout_s)
            if not done:
                self._say(f"did not stop within {self.service.stop_timeout_s:.0f} s: killed", self.service.name)
                self.kill_group()
            await self._keeper
        self._log.close()

    def kill_group(self) -> None:
        """SIGKILL to it and its own children."""
        if self.pid is not None:
            signal_group(self.pid, signal.SIGKILL)

    # --- keeping it running -----------------------------------------------------------------------------

    async def _keep_running(self) -> None:
        backoff_s = FIRST_BACKOFF_S
        while not self._stopping:
            try:
                lived_s, code = await self._run_once()
            except OSError as error:
                lived_s, code = 0.0, None
                self._write(f"cannot be started: {error}")
            if self._stopping:
                break
            if lived_s >= SETTLED_S:
                backoff_s = FIRST_BACKOFF_S
            if lived_s >= STEADY_S:
                self._bad_ends = 0
            self._bad_ends += 1
            self._tell_end(code, backoff_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), backoff_s)
            backoff_s = min(backoff_s * 2, MAX_BACKOFF_S)

    async def _run_once(self) -> tuple[float, int]:
        """One life of the process: how long (0 where it never was ready), and its exit code."""
        started = time.monotonic()
        process, output = await self._spawn()
        self._process = process
        self._starts += 1
        timeout = self.service.stop_timeout_s
        self._tell_undertaker(f"add {process.pid} {int(self.service.stop_signal)} {timeout}")
        if self._stopping:  # asked while it was being made: stop() could not see it yet
            os.kill(process.pid, self.service.stop_signal)
        reader = asyncio.create_task(self._read(output))
        readiness = asyncio.create_task(self._watch_ready(process))
        try:
            code = await process.wait()
        finally:
            lived_s = time.monotonic() - started
            was_ready, self.is_ready = self.is_ready, False
            self._process = None
            readiness.cancel()
            await asyncio.gather(readiness, return_exceptions=True)
        await self._end_stragglers(process.pid)
        # A grandchild that left the group may hold the pipe open for ever: what is read by now is enough.
        await asyncio.wait({reader}, timeout=STRAGGLER_S)
        reader.cancel()
        self._tell_undertaker(f"del {process.pid}")
        return lived_s if was_ready else 0.0, code

    async def _spawn(self) -> tuple[asyncio.subprocess.Process, IO[bytes]]:
        """The process and the reading end of its output.

        The pipe is ours and not asyncio's: ``Process.wait()`` would wait until every grandchild has closed it too.
        """
        _log.debug("service_start", service=self.service.name, command=shlex.join(self.service.command))
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *self.service.command,
                env={**os.environ, **self.service.env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then stops them in order
                preexec_fn=die_with_parent(self.service.stop_signal),
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return process, os.fdopen(reading, "rb", buffering=0)

    async def _watch_ready(self, process: asyncio.subprocess.Process) -> None:
        pause_s, longest_s = READY_POLL_S
        deadline = time.monotonic() + self.service.ready_timeout_s
        while not await self._asks_ready():
            if time.monotonic() > deadline:
                self._write(f"not ready after {self.service.ready_timeout_s:.0f} s: stopping it")
                self._fail(f"{self.service.name} is not ready after {self.service.ready_timeout_s:.0f} s")
                signal_group(process.pid, signal.SIGKILL)
                return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, longest_s)
        self.is_ready = True
        if not self._first.done():
            self._first.set_result(None)
        elif self._starts > 1:
            self._say("is back", self.service.name)

    async def _asks_ready(self) -> bool:
        if self.service.ready is None:
            await asyncio.sleep(UNASKED_S)
            return True
        try:
            return await asyncio.wait_for(self.service.ready(), READY_TIMEOUT_S)
        except Exception as error:  # whatever fails while it starts: it is not ready
            _log.debug("service_not_ready", service=self.service.name, error=repr(error))
            return False

    def _fail(self, what: str) -> None:
        """The first start has failed: whoever waits for it is told, and decides."""
        if not self._first.done():
            self._first.set_exception(SupervisorError(f"{what}. {self.last_words()}"))

    def _tell_end(self, code: int | None, backoff_s: float) -> None:
        name = self.service.name
        how = _how_it_ended(code)
        if self._bad_ends < CRASH_LOOP_ENDS:
            self._say(f"{how}; starting it again", name)
        elif self._bad_ends == CRASH_LOOP_ENDS:
            self._fail(f"{name} {how}, {self._bad_ends} times in a row")
            self._say(f"{how}, {self._bad_ends} times in a row. {self.last_words()}", name)
            self._say(f"it is tried again, at the latest every {MAX_BACKOFF_S:.0f} s", name)
        _log.info("service_ended", service=name, code=code, ends=self._bad_ends, again_in_s=round(backoff_s, 1))

    async def _end_stragglers(self, group: int) -> None:
        if not signal_group(group, signal.SIGTERM):
            return
        deadline = time.monotonic() + STRAGGLER_S
        while time.monotonic() < deadline:
            await asyncio.sleep(0.02)
            if not signal_group(group, 0):
                return
        signal_group(group, signal.SIGKILL)

    # --- what it says -----------------------------------------------------------------------------------

    async def _read(self, output: IO[bytes]) -> None:
        stream = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), output)
        try:
            await self._read_lines(stream)
        finally:
            pipe.close()

    async def _read_lines(self, stream: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await stream.read(64 * 1024):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._write(line[:LONGEST_LINE].decode("utf-8", "replace").rstrip())
        if rest:
            self._write(rest.decode("utf-8", "replace"))

    def _write(self, line: str) -> None:
        self._log.emit(logging.LogRecord(self.service.name, logging.INFO, "", 0, line, None, None))
        if line.strip():
            self._recent.append(line)
            if self._echo:
                self._say(line, self.service.name)


def _how_it_ended(code: int | None) -> str:
    if code is None:
        return "could not be started"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
