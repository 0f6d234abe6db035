"""Which printer prints the demo's reports?

The real ``ippeveprinter`` of CUPS where this machine has it, else our own ``printer_server``. Both listen on this
machine only, speak IPP, and leave each printed page as a PDF in a folder.

What ippeveprinter needs, found by trial with CUPS 2.4.2:

- it will not start without DNS-SD, that is without a D-Bus that Avahi's client can reach, even with ``-r off``. A
  private ``dbus-daemon`` of our own, named in ``DBUS_SYSTEM_BUS_ADDRESS``, satisfies it; no Avahi has to run;
- ``-n localhost`` binds 127.0.0.1 and ::1; with ``-n 127.0.0.1`` it fails at IPv6;
- ``-k -d DIR`` keeps the PDFs; without ``-c COMMAND`` it "prints" for 5 to 15 s, so it gets one that does nothing.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import structlog

from gateway.simulate.printer_server import PATH

log = structlog.get_logger()

START_TIMEOUT_S: Final = 10.0
STOP_TIMEOUT_S: Final = 5.0
LOG: Final = "printer.log"
SIDE_PATHS: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where ippeveprinter lies on Debian and macOS though an ordinary user's PATH has no sbin."""


class PrinterError(Exception):
    """The simulated printer did not start; the message holds its own last words."""


@dataclass(slots=True)
class PrinterProcess:
    """A running simulated printer."""

    uri: str
    """``ipp://…``, what a clinic's printer setting holds."""
    folder: Path
    kind: Literal["ippeveprinter", "built-in"]
    process: "subprocess.Popen[bytes]"
    helpers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    scratch: "tempfile.TemporaryDirectory[str] | None" = None

    def pages(self) -> list[Path]:
        """The printed pages, oldest first."""
        found = [path for path in self.folder.glob("*.pdf") if not path.name.startswith(".")]
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def alive(self) -> bool:
        """Whether the printer still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End the printer and its helper; harmless when it has ended."""
        for process in (self.process, *self.helpers):
            _end(process)
        if self.scratch is not None:
            self.scratch.cleanup()
            self.scratch = None


def start_printer(
    folder: Path,
    port: int,
    name: str = "Demo printer",
    *,
    prefer: Literal["ippeveprinter", "built-in"] = "ippeveprinter",
) -> PrinterProcess:
    """Start a simulated printer on this machine's loopback and wait until it answers.

    Args:
        folder: where the printed pages go; made when it is not there.
        port: TCP port, free.
        name: printer-name.
        prefer: the built-in printer only, or CUPS' own where it can be had.

    Raises:
        PrinterError: when nothing answers on the port in time, or the port is taken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if _answers(port):
        raise PrinterError(f"port {port} is in use; choose another one for the printer")
    if prefer == "ippeveprinter":
        try:
            started = _start_ippeveprinter(folder, port, name)
        except PrinterError as error:
            log.warning("ippeveprinter_unusable", reason=str(error), instead="built-in")
        else:
            if started is not None:
                return started
    command = [sys.executable, "-m", "gateway.simulate.printer_server"]
    command += ["--name", name, "--folder", str(folder), "--port", str(port)]
    scratch = tempfile.TemporaryDirectory(prefix="ecg-printer-")
    process = _spawn(command, dict(os.environ), Path(scratch.name) / LOG)
    printer = PrinterProcess(f"ipp://127.0.0.1:{port}{PATH}", folder, "built-in", process, [], scratch)
    _wait(printer, port)
    return printer


def find_ippeveprinter() -> str | None:
    """The path of ``ippeveprinter``, where it is installed together with the D-Bus daemon that it needs."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *SIDE_PATHS])
    found = shutil.which("ippeveprinter", path=path)
    return found if found and (sys.platform == "darwin" or shutil.which("dbus-daemon", path=path)) else None


def _start_ippeveprinter(folder: Path, port: int, name: str) -> PrinterProcess | None:
    program = find_ippeveprinter()
    if program is None:
        return None
    environment, helpers = dict(os.environ), []
    scratch = tempfile.TemporaryDirectory(prefix="ecg-printer-")
    if sys.platform != "darwin":
        address = f"unix:path={scratch.name}/bus"
        bus = ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={address}"]
        helpers.append(_spawn(bus, environment, Path(scratch.name) / "bus.log"))
        _wait_for_file(Path(scratch.name) / "bus")
        environment["DBUS_SYSTEM_BUS_ADDRESS"] = address
    command = [program, "-d", str(folder), "-k", "-f", "application/pdf", "-r", "off", "-n", "localhost"]
    command += ["-c", shutil.which("true") or "/bin/true", "-p", str(port), name]
    process = _spawn(command, environment, Path(scratch.name) / LOG)
    printer = PrinterProcess(f"ipp://localhost:{port}{PATH}", folder, "ippeveprinter", process, helpers, scratch)
    _wait(printer, port)
    return printer


def _spawn(command: list[str], environment: dict[str, str], words: Path) -> "subprocess.Popen[bytes]":
    """Start a process whose words go to a file: nobody reads a pipe, and a full pipe stops a printer."""
    with words.open("wb") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
        )


def _wait(printer: PrinterProcess, port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while printer.alive() and time.monotonic() < deadline:
        if _answers(port):
            return
        time.sleep(0.05)
    assert printer.scratch is not None
    said = (Path(printer.scratch.name) / LOG).read_text("utf-8", "replace").strip()[-500:]
    printer.stop()
    raise PrinterError(f"the simulated printer did not start on port {port}: {said or 'it said nothing'}")


def _wait_for_file(path: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT_S)


__all__ = ["PrinterError", "PrinterProcess", "find_ippeveprinter", "start_printer"]
