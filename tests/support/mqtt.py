"""A real MQTT broker for tests: every test that asks for one runs on the embedded broker and on Mosquitto."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.network import wait_listening

from ecg_center.embedded import ports
from ecg_center.embedded.broker import EmbeddedBroker, Login

USERS = ("gateway", "device")

MOSQUITTO_CONF = """\
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
persistence true
persistence_location {folder}/
max_queued_messages 0
{user}
"""


class TestBroker:
    """A broker on 127.0.0.1 that tests may kill and start again; its port and logins stay."""

    __test__ = False
    kind: str
    host = "127.0.0.1"
    port: int
    """MQTT 5."""
    port_311: int
    """MQTT 3.1.1."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def login(self, username: str) -> Login:
        """Name and password of ``gateway`` or ``device``."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """The broker in the foreground."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, start_new_session=True)
        wait_listening(self.port)
        wait_listening(self.port_311)

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> int:
        """End it with a signal; its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(sent)
        try:
            code = self._process.wait(10)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
        self._process = None
        return code


class TestEmbedded(TestBroker):
    """``ecg_center.embedded.broker``."""

    kind = "embedded"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._broker = EmbeddedBroker(folder, USERS).prepare()
        self.port, self.port_311 = self._broker.port, self._broker.port_311

    def login(self, username: str) -> Login:
        """Name and password."""
        return self._broker.login(username)

    def command(self) -> list[str]:
        """The broker in the foreground."""
        return self._broker.command()


class TestMosquitto(TestBroker):
    """Eclipse Mosquitto of the system."""

    kind = "mosquitto"

    def __init__(self, folder: Path, program: str) -> None:
        super().__init__()
        self._folder, self._program = folder, program
        self.port = self.port_311 = ports.free_port()
        user = "user root" if os.geteuid() == 0 else ""  # else it gives up root and cannot read its passwords
        (folder / "mosquitto.conf").write_text(MOSQUITTO_CONF.format(port=self.port, folder=folder, user=user))
        (folder / "passwords").touch(0o600)
        for name in USERS:
            login = self.login(name)
            add = ["mosquitto_passwd", "-b", str(folder / "passwords"), login.username, login.password]
            subprocess.run(add, check=True, capture_output=True)

    def login(self, username: str) -> Login:
        """Name and password."""
        return Login(username, f"{username}-secret")

    def command(self) -> list[str]:
        """The broker in the foreground."""
        return [self._program, "-c", str(self._folder / "mosquitto.conf")]


def find_mosquitto() -> str | None:
    """The program, also where ``/usr/sbin`` is not on the path."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")


@pytest.fixture(scope="session", params=["embedded", "mosquitto"])
def mqtt_broker(request: pytest.FixtureRequest) -> Iterator[TestBroker]:
    """A running broker, once of each kind; ``login("gateway")``, ``login("device")``."""
    folder = Path(tempfile.mkdtemp(prefix="ecg-test-mqtt-"))
    program = find_mosquitto()
    if request.param == "mosquitto" and program is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    broker = TestEmbedded(folder) if request.param == "embedded" else TestMosquitto(folder, str(program))
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)
