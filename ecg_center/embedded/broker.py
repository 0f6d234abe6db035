"""How does one machine have an MQTT broker with nothing installed?

rumqttd, compiled into the wheel ``iotcore``, run in the foreground with a configuration of our own: passwords for
everybody, 127.0.0.1 only, payloads up to 2 MiB. MQTT 5 has one port and MQTT 3.1.1 another, which is how rumqttd
tells them apart; both see the same messages.

Production uses Mosquitto or another MQTT 5 broker. What this one does not do, seen on rumqttd 0.20:

* Sessions and queued messages live in memory: after a restart of the broker they are gone. A device keeps its
  recording until the gateway's own acknowledgement, so nothing is lost, only sent again.
* A session outlives its connection only where the client connects with ``clean_start=False`` from its *first*
  connection on (MQTT 5's session expiry interval alone does not do it).
* Wrong passwords and payloads over the limit end the connection without a reason code.
* There are no access rules by topic: every known user reads and writes everything.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ecg_center.embedded.files import EmbeddedError, new_password, read_json, write_json
from ecg_center.embedded.ports import LOOPBACK, is_free, kept_or_free

MAX_PAYLOAD_BYTES = 2 * 1024**2
"""Eight times the upload's chunk of 256 KiB; a larger file goes in segments."""

MAX_CONNECTIONS = 1000
MAX_IN_FLIGHT = 100
SEGMENT_BYTES = 16 * 1024**2
SEGMENTS = 8
"""What one subscription keeps for a client that is away: 128 MiB, then the oldest is dropped."""

CONNECT_TIMEOUT_MS = 10_000

_TEMPLATE = """\
id = 0
[router]
id = 0
max_connections = {connections}
max_outgoing_packet_count = 200
max_segment_size = {segment}
max_segment_count = {segments}
"""

_LISTENER = """
[{protocol}.1]
name = "{protocol}"
listen = "{listen}:{port}"
next_connection_delay_ms = 1
[{protocol}.1.connections]
connection_timeout_ms = {timeout}
max_payload_size = {payload}
max_inflight_count = {in_flight}
dynamic_filters = true
"""


class BrokerError(EmbeddedError):
    """The broker cannot run; the message says why and what to do."""


@dataclass(frozen=True)
class Login:
    """A client's name and password at the broker."""

    username: str
    password: str


class EmbeddedBroker:
    """The broker of one state folder: ports and passwords are kept in ``broker.json`` (mode 0600).

    Args:
        state_dir: the folder.
        users: names that get a login with a random password; more may come at a later start.
        port: fixed port for MQTT 5, else a free one that stays.
        port_311: the same for MQTT 3.1.1.
    """

    def __init__(
        self,
        state_dir: Path | str,
        users: Sequence[str] = ("gateway", "device"),
        port: int | None = None,
        port_311: int | None = None,
    ) -> None:
        self.state_dir = Path(state_dir).absolute()
        self._file = self.state_dir / "broker.json"
        self._names = tuple(users)
        self._fixed = (port, port_311)
        self.port = 0
        self.port_311 = 0

    def prepare(self) -> Self:
        """Choose the ports and make the logins. Idempotent.

        Raises:
            BrokerError: where a fixed port is taken.
        """
        self.state_dir.mkdir(parents=True, exist_ok=True)
        kept = read_json(self._file)
        for fixed in self._fixed:
            if fixed is not None and not is_free(fixed):
                raise BrokerError(f"port {fixed} is taken by another program; stop it or configure another port")
        self.port = self._fixed[0] or kept_or_free(kept.get("port"))
        self.port_311 = self._fixed[1] or kept_or_free(kept.get("port_311"), avoid=[self.port])
        users = dict(kept.get("users") or {})
        for name in self._names:
            users.setdefault(name, new_password())
        write_json(self._file, {"port": self.port, "port_311": self.port_311, "users": users})
        return self

    def login(self, username: str) -> Login:
        """Name and password of one of the users.

        Raises:
            BrokerError: where there is no such user.
        """
        users = read_json(self._file).get("users") or {}
        if username not in users:
            raise BrokerError(f"the broker has no user {username!r}; it has {', '.join(sorted(users)) or 'none'}")
        return Login(username, users[username])

    def command(self) -> list[str]:
        """The foreground process, after :meth:`prepare`."""
        ports = ["--port", str(self.port), "--port-311", str(self.port_311)]
        return [sys.executable, "-m", "ecg_center.embedded.broker", *ports, "--users", str(self._file)]

    async def ready(self) -> bool:
        """Whether both listeners accept connections."""
        for port in (self.port, self.port_311):
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, port)
            except OSError:
                return False
            writer.close()
        return True

    def reset(self) -> None:
        """Forget ports and logins."""
        self._file.unlink(missing_ok=True)


def configuration(listen: str, port: int, port_311: int | None, users: Mapping[str, str]) -> str:
    """rumqttd's TOML. Without users everybody may connect."""
    text = _TEMPLATE.format(connections=MAX_CONNECTIONS, segment=SEGMENT_BYTES, segments=SEGMENTS)
    for protocol, number in (("v5", port), ("v4", port_311)):
        if number is None:
            continue
        text += _LISTENER.format(
            protocol=protocol,
            listen=listen,
            port=number,
            timeout=CONNECT_TIMEOUT_MS,
            payload=MAX_PAYLOAD_BYTES,
            in_flight=MAX_IN_FLIGHT,
        )
        if users:
            # JSON strings are TOML basic strings, so any name or password is safe here.
            rows = [f"{json.dumps(name)} = {json.dumps(password)}" for name, password in users.items()]
            text += "\n".join([f"[{protocol}.1.connections.auth]", *rows, ""])
    return text


def serve(listen: str, port: int, port_311: int | None, users: Mapping[str, str]) -> None:
    """Run the broker in this process until SIGTERM or SIGINT.

    Raises:
        BrokerError: where a port is taken or the broker ends by itself.
    """
    from iotcore.iotcore import IotCoreBroker  # noqa: PLC0415 - 14 MB of machine code, only for who serves

    # rumqttd opens an error-level span around every message; at any lower level each would be a log line.
    for name in ("rumqttd", "tracing"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)  # before threads start, so that they inherit it
    with tempfile.TemporaryDirectory(prefix="ecg-broker-") as folder:
        file = Path(folder) / "rumqttd.toml"
        file.touch(mode=0o600)
        file.write_text(configuration(listen, port, port_311, users), "utf-8")
        broker = IotCoreBroker(config_path=str(file))  # reads it once
    try:
        broker.check_ports()
    except OSError as error:
        raise BrokerError(f"the broker cannot listen: {error}; stop the other program or choose a port") from None
    ended: list[BaseException | None] = []

    def run() -> None:
        try:
            broker.run_forever()
            ended.append(None)
        except BaseException as error:  # handed to the main thread, which tells it
            ended.append(error)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=run, name="rumqttd", daemon=True).start()
    print(f"MQTT 5 on {listen}:{port}" + (f", MQTT 3.1.1 on {listen}:{port_311}" if port_311 else ""), flush=True)
    signal.sigwait(stop_signals)
    if ended:
        raise BrokerError(f"the broker ended by itself: {ended[0]}")


def main(words: Sequence[str] | None = None) -> None:
    """``python -m ecg_center.embedded.broker``: the broker in the foreground."""
    parser = argparse.ArgumentParser(
        prog="python -m ecg_center.embedded.broker", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--port", type=int, required=True, help="TCP port for MQTT 5")
    parser.add_argument("--port-311", type=int, help="TCP port for MQTT 3.1.1 (default: none)")
    parser.add_argument("--listen", default=LOOPBACK, help=f"address to listen on (default {LOOPBACK})")
    access = parser.add_mutually_exclusive_group(required=True)
    access.add_argument("--users", type=Path, metavar="FILE", help='JSON: {"users": {"name": "password"}}')
    access.add_argument("--anonymous", action="store_true", help="let everybody connect (tests only)")
    options = parser.parse_args(words)
    try:
        users = {} if options.anonymous else dict(read_json(options.users).get("users") or {})
        if not users and not options.anonymous:
            raise BrokerError(f"{options.users} names no users; nobody could connect")
        serve(options.listen, options.port, options.port_311, users)
    except EmbeddedError as error:
        parser.exit(1, f"broker: {error}\n")
    # rumqttd has no shutdown of its own: its threads end with the process, and every session lives in memory.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
