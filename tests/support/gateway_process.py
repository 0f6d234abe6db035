"""A real gateway as a process of its own, which tests may kill at any moment."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from support.contract_centre import TOKEN
from support.network import accepts, wait_for

REPOSITORY = Path(__file__).resolve().parent.parent.parent


class GatewayProcess:
    """``ecg-gateway run`` with a settings file; ``start``, ``kill``, ``stop`` as often as wanted."""

    def __init__(
        self,
        folder: Path,
        centre_url: str,
        dicom_port: int,
        devices: Mapping[str, str],
        mqtt: Mapping[str, object] | None = None,
        printers: Mapping[str, str] | None = None,
        **settings: object,
    ) -> None:
        self.spool = folder / "spool"
        self.port = dicom_port
        self.config = folder / "gateway.toml"
        self._log = folder / "gateway.log"
        self._process: subprocess.Popen[bytes] | None = None
        tables: dict[str, Mapping[str, object]] = {
            "gateway": {
                "centre_url": centre_url,
                "token": TOKEN,
                "spool": str(self.spool),
                "reserve_bytes": 0,
                **settings,
            },
            "gateway.dicom": {"host": "127.0.0.1", "port": dicom_port},
            "gateway.devices": devices,
            "gateway.printers": printers or {},
            "gateway.mqtt": mqtt or {},
        }
        self.config.write_text("\n".join(_table(name, table) for name, table in tables.items()), "utf-8")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "gateway.cli", "--config", str(self.config), *words]

    def start(self) -> None:
        """Start it and wait for its DICOM port."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command("run"),
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        wait_for(lambda: accepts(self.port) or self.ended(), "the gateway does not listen", 20)
        assert not self.ended(), self.log()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self._process is None or self._process.poll() is not None:
            return -signal.SIGKILL
        self._process.terminate()
        try:
            return self._process.wait(15)
        finally:
            if self._process.poll() is None:
                self.kill()

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Another command beside it."""
        return subprocess.run(
            self.command(*words), cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=60
        )

    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")


def _table(name: str, table: Mapping[str, object]) -> str:
    rows = [f"{json.dumps(key)} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items()]
    return "\n".join([f"[{name}]", *rows, ""])
