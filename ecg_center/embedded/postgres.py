"""How does a centre have a real PostgreSQL with nothing installed and nobody asked?

A small launcher over the programs of a wheel (or of the system, :mod:`.binaries`): one cluster in the state
folder, on 127.0.0.1 only, SCRAM passwords for everybody, checksums and ``fsync`` on, tuned for one machine.

* Nothing is started where ``ECG_DATABASE_URL`` names a server: :func:`embedded_postgres` answers None.
* PostgreSQL refuses to run as root. Root runs it as ``nobody``, without making an account or touching a home.
  Where ``nobody`` cannot reach the state folder (below ``/root``, or in a folder of mode 0700), the data goes to
  ``/var/lib/ecg-center-embedded/cluster-<random>``; ``postgres.json`` in the state folder says where.
  :meth:`~EmbeddedPostgres.reset` removes it with the rest.
* A server left over from an earlier run (the supervisor was killed) is found by ``postmaster.pid`` and stopped.
* The port is kept in the state folder and used again as long as it is free, so that URLs stay.
"""

import locale
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import psycopg
import structlog

from ecg_center.embedded.binaries import (
    SHARED_FOLDER,
    Account,
    Binaries,
    PostgresError,
    account_for,
    find_binaries,
    reachable,
)
from ecg_center.embedded.files import new_password, read_json, write_json, write_private
from ecg_center.embedded.ports import LOOPBACK, is_free, kept_or_free
from ecg_center.embedded.roles import DatabaseUrls, ensure_roles, plain_url, sqlalchemy_url
from ecg_center.processes import command_line, is_running, wait_gone

_log = structlog.get_logger(__name__)

SUPERUSER = "postgres"
STOP_TIMEOUT_S = 30.0
"""A fast shutdown writes a checkpoint of at most ``max_wal_size``: seconds on any disk."""

OWNER_MARK = "BELONGS_TO"
"""Beside data that lies outside its state folder: the path of that folder."""

SETTINGS: Mapping[str, str] = {
    "listen_addresses": f"'{LOOPBACK}'",
    "unix_socket_directories": "''",  # one way in, and it asks for a password
    "password_encryption": "'scram-sha-256'",
    "max_connections": "80",
    "shared_buffers": "'64MB'",
    "max_wal_size": "'512MB'",
    "min_wal_size": "'64MB'",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Containers give 64 MB of /dev/shm: a parallel query that wants more would fail where a serial one works.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "idle_in_transaction_session_timeout": "'5min'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "lc_messages": "'C'",
    "log_line_prefix": "'%m [%p] %u@%d '",
    "log_checkpoints": "off",
    "cluster_name": "'ecg-center'",
}
"""``postgresql.conf``, name → value as written there."""

ACCESS_RULES = f"""\
# One address, one method; see ecg_center/embedded/postgres.py
host all         all {LOOPBACK}/32 scram-sha-256
host replication all {LOOPBACK}/32 scram-sha-256
"""


class EmbeddedPostgres:
    """One cluster of our own in ``state_dir``.

    ``prepare()`` makes or finds it, ``command()`` is the foreground process for a supervisor, ``ready()`` its
    readiness. ``start()`` and ``stop()`` run it directly, for tests and tools.

    Args:
        state_dir: holds ``postgres.json`` (port, password; mode 0600) and the data.
        version: major version for a new cluster; an existing one says its own.
        bin_dir: a folder with ``postgres`` and ``initdb`` to use instead of the wheel's.
        settings: changes to :data:`SETTINGS`; tests turn ``fsync`` off with it.
    """

    def __init__(
        self,
        state_dir: Path | str,
        version: int | None = None,
        bin_dir: Path | str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.state_dir = Path(state_dir).absolute()
        self._wanted_version = version
        self._wanted_bin_dir = Path(bin_dir) if bin_dir is not None else None
        self._settings = {**SETTINGS, **(settings or {})}
        self._file = self.state_dir / "postgres.json"
        self._binaries: Binaries | None = None
        self._account: Account | None = None
        self._process: subprocess.Popen[bytes] | None = None

    # --- what it is -------------------------------------------------------------------------------------

    @property
    def data_dir(self) -> Path:
        """Where the cluster's files are."""
        return Path(read_json(self._file).get("data_dir") or self.state_dir / "postgres" / "data")

    @property
    def version(self) -> int:
        """The cluster's major version."""
        return self._ready_binaries().version

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1."""
        return int(self._state("port"))

    @property
    def superuser_url(self) -> str:
        """For administration only: ``postgresql+psycopg://postgres:…@127.0.0.1:PORT/postgres``."""
        return sqlalchemy_url(SUPERUSER, self._state("superuser_password"), LOOPBACK, self.port, "postgres")

    def _state(self, key: str) -> str:
        content = read_json(self._file)
        if key not in content:
            raise PostgresError(f"no cluster in {self.state_dir} yet: call prepare() first")
        return str(content[key])

    def _ready_binaries(self) -> Binaries:
        if self._binaries is None:
            raise PostgresError("call prepare() first")
        return self._binaries

    def _ready_account(self) -> Account:
        if self._account is None:
            raise PostgresError("call prepare() first")
        return self._account

    # --- make or find it --------------------------------------------------------------------------------

    def prepare(self) -> Self:
        """Make the cluster where there is none, clear up after an earlier run, choose the port. Idempotent.

        Raises:
            PostgresError: when no cluster can be had, saying why and what to do.
        """
        self.state_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        data_dir = self.data_dir
        self._own(data_dir)
        existing = _cluster_version(data_dir)
        if existing is not None and self._wanted_version not in {None, existing}:
            raise PostgresError(
                f"{data_dir} was made by PostgreSQL {existing}; version {self._wanted_version} cannot open it. "
                f"Start it with {existing}, dump it with pg_dump, reset, and restore the dump."
            )
        self._account = account_for(data_dir)
        found = find_binaries(existing or self._wanted_version, self._wanted_bin_dir)
        self._binaries = reachable(found, self._account)
        data_dir = self._place(data_dir)
        if _cluster_version(data_dir) is None:
            self._make_cluster(data_dir)
        else:
            self._stop_leftover(data_dir)
        self._configure(data_dir)
        return self

    def _place(self, data_dir: Path) -> Path:
        """The data folder's parent where the account can reach it; data in an unreachable one is moved."""
        account = self._ready_account()
        home = data_dir.parent
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _give(home, account)
        if account.can("-w", home) and account.can("-x", home):
            return data_dir
        SHARED_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        outside = SHARED_FOLDER / f"cluster-{secrets.token_hex(8)}"
        outside.mkdir(mode=0o700)
        (outside / OWNER_MARK).write_text(f"{self.state_dir}\n", "utf-8")
        moved = outside / "data"
        if data_dir.exists():
            shutil.move(data_dir, moved)
            for path in (moved, *moved.rglob("*")):
                _give(path, account)
        _give(outside, account)
        if not account.can("-w", outside):
            raise PostgresError(
                f"the account uid {account.uid} can reach neither {home} nor {outside}. Start as an ordinary user, "
                f"or choose a state folder that others may pass through (chmod o+x on its parents)."
            )
        home.rmdir()
        write_json(self._file, {**read_json(self._file), "data_dir": str(moved)})
        _log.info("postgres_data_outside", data_dir=str(moved), reason="state folder unreachable", uid=account.uid)
        return moved

    def _own(self, data_dir: Path) -> None:
        """Data outside the state folder belongs to one state folder; a copy of the folder must not share it."""
        mark = data_dir.parent / OWNER_MARK
        if data_dir.is_relative_to(self.state_dir) or not mark.exists():
            return
        owner = Path(mark.read_text("utf-8").strip())
        if owner != self.state_dir and (owner / self._file.name).exists():
            raise PostgresError(
                f"{self._file} is a copy of the one in {owner}, and names the same data in {data_dir}. "
                f"Delete the copy to begin with an empty database here."
            )
        mark.write_text(f"{self.state_dir}\n", "utf-8")

    def _make_cluster(self, data_dir: Path) -> None:
        account, binaries = self._ready_account(), self._ready_binaries()
        password = new_password()
        write_json(self._file, {**read_json(self._file), "superuser_password": password})
        password_file = data_dir.parent / "superuser"
        part = data_dir.with_name("data.part")  # initdb killed half-way leaves no cluster that looks whole
        if part.exists():
            shutil.rmtree(part)
        try:
            write_private(password_file, password + "\n", None if account.is_me else (account.uid, account.gid))
            answer = account.run(
                [
                    binaries.program("initdb"),
                    *("-D", str(part), "-U", SUPERUSER, f"--pwfile={password_file}"),
                    *("--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", "--no-instructions"),
                    *_locale_options(binaries.version),
                    *(["--no-sync"] if self._settings["fsync"] == "off" else []),
                ]
            )
        finally:
            password_file.unlink(missing_ok=True)
        if answer.returncode != 0:
            raise PostgresError(f"initdb failed in {data_dir.parent}: {_last_lines(answer.stderr + answer.stdout)}")
        part.rename(data_dir)

    def _configure(self, data_dir: Path) -> None:
        account = self._ready_account()
        owner = None if account.is_me else (account.uid, account.gid)
        state = read_json(self._file)
        kept = state.get("port")
        port = kept_or_free(kept)
        if kept not in {None, port}:
            _log.warning("postgres_port_changed", was=kept, now=port, reason="another program listens there")
        lines = [f"{name} = {value}" for name, value in {**self._settings, "port": str(port)}.items()]
        write_private(data_dir / "postgresql.conf", "\n".join(lines) + "\n", owner)
        write_private(data_dir / "pg_hba.conf", ACCESS_RULES, owner)
        write_json(self._file, {**state, "port": port})

    def _stop_leftover(self, data_dir: Path) -> None:
        pid = _running_postmaster(data_dir)
        if pid is None:
            return
        if self._process is not None and self._process.poll() is None:
            raise PostgresError("this cluster is running; stop it before prepare()")
        _log.warning("postgres_left_over", pid=pid, data_dir=str(data_dir), action="stopping it")
        _stop(pid)

    # --- run it -----------------------------------------------------------------------------------------

    @property
    def stop_signal(self) -> signal.Signals:
        """SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave."""
        return signal.SIGINT

    def command(self) -> list[str]:
        """The foreground process, after :meth:`prepare`: gives up root, dies with its parent, is PostgreSQL."""
        account, binaries = self._ready_account(), self._ready_binaries()
        other = [] if account.is_me else ["--user", f"{account.uid}:{account.gid}"]
        become = [sys.executable, "-m", "ecg_center.processes", "become", *other, "--parent-death", "SIGINT", "--"]
        return [*become, binaries.program("postgres"), "-D", str(self.data_dir)]

    async def ready(self) -> bool:
        """Whether it answers a query."""
        try:
            url = plain_url(self.superuser_url)
            async with await psycopg.AsyncConnection.connect(url, connect_timeout=2, autocommit=True) as connection:
                await connection.execute("select 1")
        except psycopg.OperationalError:
            return False
        return True

    def wait_ready(self, timeout_s: float = 30.0) -> None:
        """Wait until it answers.

        Raises:
            PostgresError: when it does not within ``timeout_s``.
        """
        deadline = time.monotonic() + timeout_s
        while not self._answers():
            if self._process is not None and (code := self._process.poll()) is not None:
                raise PostgresError(f"PostgreSQL ended with {code}: {_last_lines(self._log_text())}")
            if time.monotonic() > deadline:
                raise PostgresError(f"PostgreSQL on port {self.port} does not answer after {timeout_s:.0f} s")
            time.sleep(0.02)

    def _answers(self) -> bool:
        if is_free(self.port):
            return False
        try:
            with psycopg.connect(plain_url(self.superuser_url), connect_timeout=2, autocommit=True) as connection:
                connection.execute("select 1")
        except psycopg.OperationalError:
            return False
        return True

    def ensure_roles(self) -> DatabaseUrls:
        """The roles and the database of the application, passwords kept beside the cluster's own."""
        return ensure_roles(self.superuser_url, self.state_dir / "database.json")

    def start(self, timeout_s: float = 30.0) -> Self:
        """Prepare, run it as a child of this process (ends with it), wait until it answers."""
        self.prepare()
        with (self.state_dir / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self.wait_ready(timeout_s)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Fast shutdown of what :meth:`start` started, or of a server left over from an earlier run."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(STOP_TIMEOUT_S)
            self._process = None
        elif (pid := _running_postmaster(self.data_dir)) is not None:
            _stop(pid)

    def reset(self) -> None:
        """Stop it and delete everything: data, passwords, port."""
        data_dir = self.data_dir
        self.stop()
        if data_dir.parent.exists():
            shutil.rmtree(data_dir.parent)
        for name in ("postgres.json", "database.json", "postgres.log"):
            (self.state_dir / name).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _log_text(self) -> str:
        try:
            return (self.state_dir / "postgres.log").read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""


def embedded_postgres(state_dir: Path | str) -> EmbeddedPostgres | None:
    """The embedded cluster of this state folder; None where ``ECG_DATABASE_URL`` names a server of its own."""
    return None if os.environ.get("ECG_DATABASE_URL") else EmbeddedPostgres(state_dir)


def _cluster_version(data_dir: Path) -> int | None:
    try:
        return int((data_dir / "PG_VERSION").read_text("ascii"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        raise _foreign(data_dir) from None


def _foreign(data_dir: Path) -> PostgresError:
    return PostgresError(
        f"{data_dir} belongs to another account. Start as that account or as root, or choose another state folder."
    )


def _locale_options(version: int) -> list[str]:
    """Code-point order and Unicode case mapping, the same on every machine and after every system upgrade."""
    if version >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C", f"--lc-ctype={'C.UTF-8' if _has_c_utf8() else 'C'}"]


def _has_c_utf8() -> bool:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return False
    locale.setlocale(locale.LC_CTYPE, before)
    return True


def _running_postmaster(data_dir: Path) -> int | None:
    """The process of this data folder's server, if one runs; a foreign process of that number is not it."""
    try:
        pid = int((data_dir / "postmaster.pid").read_text("utf-8").split("\n", 1)[0])
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except PermissionError:
        raise _foreign(data_dir) from None
    if not is_running(pid):
        return None
    words = command_line(pid)
    return pid if re.search(r"\bpostgres\b", words) and str(data_dir) in words else None


def _stop(pid: int) -> None:
    """Fast, then immediate shutdown (recovery from the log follows), then kill."""
    for sent, timeout_s in ((signal.SIGINT, STOP_TIMEOUT_S), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, sent)
        except ProcessLookupError:
            return
        if not wait_gone([pid], timeout_s):
            return
    raise PostgresError(f"the PostgreSQL of an earlier run (process {pid}) cannot be stopped; restart the machine")


def _give(path: Path, account: Account) -> None:
    if os.geteuid() == 0:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _last_lines(text: str, count: int = 3) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-count:]) or "it said nothing"


__all__ = ["DatabaseUrls", "EmbeddedPostgres", "PostgresError", "embedded_postgres", "ensure_roles"]
