"""A real IPP printer for tests: CUPS' ``ippeveprinter``, which keeps each job's page as a file."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.network import accepts, wait_for

from ecg_center.embedded import ports

_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"


class TestPrinter:
    """A printer on 127.0.0.1; what it printed lies in ``folder``."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "pages"
        self.folder.mkdir()
        self.port = ports.free_port()
        self.uri = f"ipp://127.0.0.1:{self.port}/ipp/print"
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def pages(self) -> list[Path]:
        """The files of the jobs, in the order of their arrival."""
        return sorted(self.folder.glob("*.pdf"), key=lambda path: int(path.name.split("-")[0]))

    def start(self) -> None:
        """Start it and wait until it listens."""
        environment = {**os.environ, "PATH": _PATH}
        if shutil.which("dbus-daemon") is not None:
            # ippeveprinter ends where it finds no D-Bus to reach Avahi by; an empty bus of our own satisfies it.
            bus = f"unix:path={self._folder}/bus"
            daemon = ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={bus}"]
            self._run(daemon, environment)
            environment["DBUS_SYSTEM_BUS_ADDRESS"] = bus
            wait_for((self._folder / "bus").exists, "dbus-daemon made no bus")
        options = [
            "-r",
            "off",
            "-c",
            "/bin/true",
            "-k",
            "-d",
            str(self.folder),
            "-f",
            "application/pdf",
            "-n",
            "localhost",
        ]
        self._run(["ippeveprinter", *options, "-p", str(self.port), "ECG test printer"], environment)
        device = self._processes[-1]
        wait_for(lambda: accepts(self.port) or device.poll() is not None, "ippeveprinter does not listen")
        if device.poll() is not None:  # without D-Bus or IPv6 it gives up: nothing of ours to test then
            pytest.skip(
                f"ippeveprinter does not run here: {(self._folder / 'log').read_text('utf-8', 'replace')[-200:]}"
            )

    def stop(self) -> None:
        """Switch it off."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def _run(self, command: list[str], environment: dict[str, str]) -> None:
        with (self._folder / "log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
            )


@pytest.fixture
def printer() -> Iterator[TestPrinter]:
    """A running IPP printer; ``.uri``, ``.pages()``, ``.stop()`` and ``.start()`` again."""
    if shutil.which("ippeveprinter", path=_PATH) is None:
        pytest.skip("ippeveprinter is not installed (apt-get install cups-ipp-utils)")
    folder = Path(tempfile.mkdtemp(prefix="ecg-test-ipp-"))
    device = TestPrinter(folder)
    try:
        device.start()
        yield device
    finally:
        device.stop()
        shutil.rmtree(folder, ignore_errors=True)
