"""Which processes make up a whole centre on one machine, in which order, with which settings?

Everything lies in one folder: ports and secrets (kept, so that a second start finds its data), the settings file that
all commands read, database, recordings, spool, printed pages and logs.
"""

import asyncio
import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import structlog

from ecg_center.demo import clerks
from ecg_center.demo.community import CLINICS, DEVICES, HOLTER_RECORDERS, PRESSURE_RECORDERS, Secrets, settle
from ecg_center.embedded.broker import EmbeddedBroker
from ecg_center.embedded.files import new_password, read_json, write_json, write_private
from ecg_center.embedded.ports import LOOPBACK, is_free, kept_or_free
from ecg_center.embedded.postgres import EmbeddedPostgres
from ecg_center.embedded.roles import DatabaseUrls
from ecg_center.store.migrate import plain_url, upgrade
from ecg_center.store.session import Database
from ecg_center.supervised import Service
from ecg_center.supervisor import Supervisor

GATEWAY_AE = "ECGGATEWAY"
RESERVE_BYTES = 64 * 1024**2
"""The demo's gateway keeps less disk free than a clinic's, so that it runs on a full laptop."""

PORT_NAMES = ("dicom", *(f"printer_{clinic.code}" for clinic in CLINICS))


def quiet_logs() -> None:
    """Only errors on the terminal; the parts' own logs are in their files."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


WORKERS = 3


class DemoError(Exception):
    """The demo cannot start; the message says why and what to do."""


@dataclass(frozen=True)
class Ports:
    """Where the demo's parts listen on 127.0.0.1."""

    web: int
    dicom: int
    printers: dict[str, int]
    """By institution code."""


class Machine:
    """The demo's processes under one supervisor."""

    def __init__(self, folder: Path, web_port: int, *, quiet: bool = False) -> None:
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.postgres = EmbeddedPostgres(self.folder / "postgres")
        self.broker = EmbeddedBroker(self.folder / "broker")
        self.supervisor = Supervisor([], self.folder, None if quiet else sys.stderr, echo=False)
        self.config = self.folder / "ecg-center.toml"
        self._wanted_web_port = web_port
        self.ports: Ports
        self.urls: DatabaseUrls
        self.secrets: Secrets

    @property
    def pages_url(self) -> str:
        """Where the browser goes."""
        return f"http://{LOOPBACK}:{self.ports.web}"

    def printed(self, code: str) -> Path:
        """The folder with an institution's printed pages."""
        return self.folder / "printed" / code

    async def _add(self, service: Service) -> None:
        self.supervisor.say(f"starting {service.name} …")
        await self.supervisor.add(service)

    async def start(self, *, fleet: bool) -> None:
        """Start everything, each part ready before the next.

        Raises:
            DemoError: the port of the pages is taken.
            SupervisorError: a part does not start.
        """
        self.ports = self._ports()
        passphrase = self._passphrase()
        await self.supervisor.start()
        await asyncio.to_thread(self.postgres.prepare)
        await self._add(
            Service(
                "postgres",
                self.postgres.command(),
                ready=self.postgres.ready,
                stop_signal=self.postgres.stop_signal,
                stop_timeout_s=20,
            )
        )
        self.urls = await asyncio.to_thread(self.postgres.ensure_roles)
        await asyncio.to_thread(upgrade, self.urls.owner)
        database = Database(self.urls.app, pool_size=1)
        try:
            self.secrets = await settle(database, self.folder, passphrase)
        finally:
            await database.close()
        await asyncio.to_thread(self.broker.prepare)
        write_private(self.config, self._toml(passphrase))
        await self._add(Service("broker", self.broker.command(), ready=self.broker.ready))
        for service in self._services():
            await self._add(service)
        if fleet:
            await self._add(self._clerks())
            await self._add(self._fleet())

    def _ports(self) -> Ports:
        path = self.folder / "ports.json"
        kept = read_json(path)
        if not is_free(self._wanted_web_port):
            raise DemoError(
                f"port {self._wanted_web_port} is taken by another program; choose another: "
                f"ecg-center demo --port {self._wanted_web_port + 1}"
            )
        chosen: dict[str, int] = {}
        for name in PORT_NAMES:
            chosen[name] = kept_or_free(kept.get(name), avoid=[*chosen.values(), self._wanted_web_port])
        write_json(path, chosen)
        printers = {clinic.code: chosen[f"printer_{clinic.code}"] for clinic in CLINICS}
        return Ports(self._wanted_web_port, chosen["dicom"], printers)

    def _passphrase(self) -> str:
        path = self.folder / "signing.json"
        kept = read_json(path)
        if "passphrase" not in kept:
            kept = {"passphrase": new_password()}
            write_json(path, kept)
        return str(kept["passphrase"])

    def _services(self) -> list[Service]:
        env = {"ECG_CONFIG": str(self.config), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        printers = [
            Service(
                f"printer-{code}",
                [
                    command("ecg-gateway"),
                    *("simulate", "printer", "--folder", str(self.printed(code)), "--port", str(port)),
                    *("--name", f"Demo printer {code}"),
                ],
                ready=lambda port=port: _listens(port),  # type: ignore[misc]
            )
            for code, port in self.ports.printers.items()
        ]
        return [
            Service("web", [command("ecg-center"), "serve"], env=env, ready=self._web_ready),
            Service("jobs", [command("ecg-center"), "jobs"], env=env),
            Service("worker", [command("ecg-worker"), "run"], env=env, ready=self._both_work),
            *printers,
            Service("gateway", [command("ecg-gateway"), "run"], env=env, ready=lambda: _listens(self.ports.dicom)),
        ]

    async def _web_ready(self) -> bool:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{self.pages_url}/healthz", timeout=2)).status_code == 200

    async def _both_work(self) -> bool:
        """Whether jobs and worker have registered with the job queue, the worker once for each of its queues."""
        async with await psycopg.AsyncConnection.connect(plain_url(self.urls.app), connect_timeout=2) as connection:
            cursor = await connection.execute(
                "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '5 seconds'"
            )
            row = await cursor.fetchone()
        return row is not None and row[0] >= WORKERS

    def _clerks(self) -> Service:
        env = {clerks.URL_VARIABLE: self.pages_url, clerks.TOKEN_VARIABLE: self.secrets.gateway_token}
        return Service("clerks", [sys.executable, "-m", clerks.__name__], env=env)

    def _fleet(self) -> Service:
        login = self.broker.login("device")
        words = [command("ecg-gateway"), "simulate", "fleet", "--called", GATEWAY_AE]
        words += ["--broker", f"mqtt://{LOOPBACK}:{self.broker.port}", "--folder", str(self.folder / "devices")]
        for device in DEVICES:
            if device.transport == "dicom":
                words += ["--dicom", f"{device.identity}@{LOOPBACK}:{self.ports.dicom}"]
            elif station := (PRESSURE_RECORDERS | HOLTER_RECORDERS).get(device.identity):
                recorder = f"{device.institution_code}/{device.identity}={station}@{LOOPBACK}:{self.ports.dicom}"
                words += ["--abpm" if device.identity in PRESSURE_RECORDERS else "--holter", recorder]
            else:
                words += ["--mqtt", f"{device.institution_code}/{device.identity}"]
        env = {"ECG_SIMULATE_MQTT_USERNAME": login.username, "ECG_SIMULATE_MQTT_PASSWORD": login.password}
        return Service("devices", words, env=env)

    def _toml(self, passphrase: str) -> str:
        login = self.broker.login("gateway")
        lines = [
            "# Written by `ecg-center demo` at every start.",
            "[store]",
            f'database_url = "{self.urls.app}"',
            f'blobs = "{_toml_path(self.folder / "blobs")}"',
            f'uploads = "{_toml_path(self.folder / "uploads")}"',
            "[center]",
            f"port = {self.ports.web}",
            f'public_url = "{self.pages_url}"',
            f'signing_passphrase = "{passphrase}"',
            "demo = true",
            'report_remark = "演示数据，非患者。"',
            "[worker]",
            'name = "demo-worker"',
            "[gateway]",
            f'centre_url = "{self.pages_url}"',
            f'token = "{self.secrets.gateway_token}"',
            f'spool = "{_toml_path(self.folder / "spool")}"',
            f"reserve_bytes = {RESERVE_BYTES}",
            "[gateway.dicom]",
            f'host = "{LOOPBACK}"',
            f"port = {self.ports.dicom}",
            f'ae_title = "{GATEWAY_AE}"',
            "[gateway.mqtt]",
            "enabled = true",
            f'url = "mqtt://{LOOPBACK}:{self.broker.port}"',
            f'username = "{login.username}"',
            f'password = "{login.password}"',
            "[gateway.devices]",
            *(f'"{device.identity}" = "{device.institution_code}"' for device in DEVICES),
            "[gateway.printers]",
            *(f'{code} = "ipp://{LOOPBACK}:{port}/ipp/print"' for code, port in self.ports.printers.items()),
        ]
        return "\n".join(lines) + "\n"


def command(name: str) -> str:
    """One of the project's commands, of this very environment."""
    return str(Path(sys.executable).parent / name)


def _toml_path(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True
