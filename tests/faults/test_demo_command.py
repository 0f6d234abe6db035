"""``ecg-center demo`` as a person uses it: start, Ctrl-C, start again, kill -9, reset. Nothing is left running."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from ecg_center.demo.community import PASSWORD
from ecg_center.embedded.files import folder_of_ones_own
from ecg_center.embedded.ports import free_port

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

COMMAND = str(Path(sys.executable).parent / "ecg-center")
START_TIMEOUT_S = 120


@pytest.fixture
def folder() -> Iterator[Path]:
    made = folder_of_ones_own("demo-command")
    yield made
    subprocess.run([COMMAND, "demo", "--reset", "--folder", str(made)], check=False, capture_output=True)
    shutil.rmtree(made, ignore_errors=True)


class Demo:
    """One run of the command."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.url = folder, f"http://127.0.0.1:{port}"
        words = [COMMAND, "demo", "--folder", str(folder), "--port", str(port)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def wait_open(self) -> str:
        """What it prints until the centre is open."""
        assert self.process.stdout is not None
        said: list[str] = []
        for line in self.process.stdout:
            said.append(line)
            if "Ctrl-C stops all" in line:
                return "".join(said)
        raise AssertionError("the demo ended: " + "".join(said))

    def studies(self) -> set[str]:
        """Ids on the writing desk."""
        with httpx.Client(base_url=self.url) as client:
            client.post("/api/session", json={"login": "wang", "password": PASSWORD}).raise_for_status()
            rows = client.get("/api/worklist").raise_for_status().json()["rows"]
        return {row["study_id"] for row in rows}

    def wait_studies(self, count: int) -> set[str]:
        ends = time.monotonic() + START_TIMEOUT_S
        while len(found := self.studies()) < count:
            assert time.monotonic() < ends, f"only {len(found)} studies came"
            time.sleep(0.5)
        return found

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def all_gone(processes: list[psutil.Process], within_s: float) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive if process.is_running())


def test_start_stop_start_again_kill_and_reset(folder: Path) -> None:
    port = free_port()
    first = Demo(folder, port)
    said = first.wait_open()
    assert first.url in said
    assert PASSWORD in said
    before = first.wait_studies(1)
    children = first.children()
    assert len(children) >= 10
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(60) == 0
    assert all_gone(children, 5)

    second = Demo(folder, port)
    second.wait_open()
    assert before <= second.studies()
    children = second.children()
    os.kill(second.process.pid, signal.SIGKILL)
    second.process.wait(10)
    assert all_gone(children, 40), "the undertaker left something behind"

    third = Demo(folder, port)
    third.wait_open()
    words = [COMMAND, "demo", "--reset", "--folder", str(folder)]
    refused = subprocess.run(words, check=False, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "already runs" in refused.stderr
    assert before <= third.studies()
    third.process.send_signal(signal.SIGTERM)
    third.process.wait(60)

    reset = subprocess.run(words, check=False, capture_output=True, text=True)
    assert reset.returncode == 0
    assert not folder.exists()


def test_a_taken_port_is_said_with_what_to_do(folder: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = [COMMAND, "demo", "--folder", str(folder), "--port", str(port)]
        done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr
    assert "--port" in done.stderr
