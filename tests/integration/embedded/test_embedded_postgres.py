"""The embedded PostgreSQL, started, killed and found again for real."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from support.network import wait_for

from ecg_center.embedded import binaries
from ecg_center.embedded.binaries import Account, PostgresError, find_binaries, reachable
from ecg_center.embedded.files import folder_of_ones_own
from ecg_center.embedded.postgres import EmbeddedPostgres, embedded_postgres
from ecg_center.embedded.roles import plain_url
from ecg_center.processes import is_running

ROOT = os.geteuid() == 0
NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account may pass through."""
    path = folder_of_ones_own("pg")
    yield path
    for cluster in [state.parent for state in path.rglob("postgres.json")]:
        EmbeddedPostgres(cluster).reset()
    shutil.rmtree(path)


def query(url: str, words: str) -> object:
    with psycopg.connect(plain_url(url), autocommit=True) as connection:
        row = connection.execute(words).fetchone()
        assert row is not None
        return row[0]


@pytest.mark.parametrize("version", [18, 16])
def test_a_new_cluster_is_utf8_checksummed_durable_and_asks_for_passwords(folder: Path, version: int) -> None:
    with EmbeddedPostgres(folder / "state", version) as server:
        settings = {
            name: query(server.superuser_url, f"show {name}")
            for name in ("server_encoding", "data_checksums", "fsync", "listen_addresses", "unix_socket_directories")
        }
        assert settings == {
            "server_encoding": "UTF8",
            "data_checksums": "on",
            "fsync": "on",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
        }
        assert query(server.superuser_url, "show server_version_num").startswith(str(version))
        assert query(server.superuser_url, "select upper('é')") == "É"
        assert query(
            server.superuser_url, "select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = 'postgres'"
        )
        wrong = plain_url(server.superuser_url).replace("postgres:", "postgres:wrong", 1)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        assert (folder / "state" / "postgres.json").stat().st_mode & 0o777 == 0o600
        assert server.data_dir.stat().st_mode & 0o777 == 0o700


def test_a_second_start_finds_its_data_and_keeps_its_address(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        url = server.superuser_url
        urls = server.ensure_roles()
        with psycopg.connect(plain_url(urls.owner), autocommit=True) as connection:
            connection.execute("create table kept as select 7 as n")
    with EmbeddedPostgres(folder) as server:
        assert server.superuser_url == url
        assert server.ensure_roles() == urls
        assert query(urls.owner, "select n from kept") == 7


def test_the_application_role_can_neither_pass_row_security_nor_make_tables(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        urls = server.ensure_roles()
        flags = (
            "select rolsuper or rolbypassrls or rolcreatedb or rolcreaterole from pg_roles where rolname = current_user"
        )
        assert query(urls.app, flags) is False
        assert query(urls.owner, flags) is False
        with psycopg.connect(plain_url(urls.app)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create table mine (n int)")
        assert (folder / "database.json").stat().st_mode & 0o777 == 0o600


def test_after_kill_9_the_server_recovers_what_was_committed(folder: Path) -> None:
    server = EmbeddedPostgres(folder).start()
    urls = server.ensure_roles()
    with psycopg.connect(plain_url(urls.owner), autocommit=True) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as n")
        os.kill(server_pid(server), signal.SIGKILL)
    server.stop()
    with EmbeddedPostgres(folder):
        assert query(urls.owner, "select count(*) from kept") == 1000


def test_a_server_left_over_from_a_killed_run_is_stopped_and_replaced(folder: Path) -> None:
    # An orphan as macOS or a lost undertaker would leave it: its parent is gone and it was not told.
    server = EmbeddedPostgres(folder).prepare()
    account = server._ready_account()
    become = [] if account.is_me else ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
    words = server.command()
    log = (folder / "orphan.log").open("wb")
    subprocess.Popen([*become, *words[words.index("--") + 1 :]], stderr=log, start_new_session=True, cwd="/")
    server.wait_ready()
    left_over = server_pid(server)
    with EmbeddedPostgres(folder) as again:
        assert server_pid(again) != left_over
        assert query(again.superuser_url, "select 1") == 1


def server_pid(server: EmbeddedPostgres) -> int:
    return int((server.data_dir / "postmaster.pid").read_text().split("\n")[0])


def test_it_dies_with_its_parent(folder: Path) -> None:
    script = (
        "import sys, os; from ecg_center.embedded.postgres import EmbeddedPostgres;"
        "EmbeddedPostgres(sys.argv[1]).start(); print('up', flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"up\n"
    postmaster = server_pid(EmbeddedPostgres(folder))
    assert is_running(postmaster)
    parent.kill()
    parent.wait()
    if sys.platform == "linux":
        wait_for(lambda: not is_running(postmaster), "PostgreSQL outlives its parent")


def test_a_taken_port_is_given_up_for_a_free_one(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        port = server.port
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        with EmbeddedPostgres(folder) as server:
            assert server.port != port


def test_initdb_killed_half_way_is_made_again(folder: Path) -> None:
    half = folder / "postgres" / "data.part"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(folder) as server:
        assert query(server.superuser_url, "select 1") == 1


def test_data_of_another_version_is_refused_with_the_way_out(folder: Path) -> None:
    EmbeddedPostgres(folder, 16).prepare()
    with pytest.raises(PostgresError, match=r"made by PostgreSQL 16.*pg_dump"):
        EmbeddedPostgres(folder, 18).prepare()
    with EmbeddedPostgres(folder) as server:
        assert server.version == 16


def test_reset_leaves_nothing(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "state").start()
    data_dir = server.data_dir
    server.ensure_roles()
    server.reset()
    assert not data_dir.exists()
    assert list((folder / "state").iterdir()) == []


def test_a_server_named_by_the_environment_is_used_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert embedded_postgres(folder) is not None
    monkeypatch.setenv("ECG_DATABASE_URL", "postgresql+psycopg://somebody@db.example/ecg")
    assert embedded_postgres(folder) is None


def test_a_system_postgresql_serves_as_well(folder: Path) -> None:
    system = next((path for path in binaries.system_folders() if "/lib/postgresql/" in str(path)), None)
    if system is None:
        pytest.skip("no system PostgreSQL in /usr/lib/postgresql (apt-get install postgresql)")
    with EmbeddedPostgres(folder, bin_dir=system) as server:
        assert query(server.superuser_url, "show server_version_num").startswith(str(server.version))


def test_a_folder_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match="no working PostgreSQL"):
        find_binaries(bin_dir=tmp_path)
    with pytest.raises(PostgresError, match="ECG_DATABASE_URL"):
        find_binaries(version=9)


@pytest.mark.skipif(not ROOT, reason="needs root: root's server runs as nobody")
def test_as_root_it_runs_as_an_ordinary_user(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        assert Path(f"/proc/{server_pid(server)}").stat().st_uid == NOBODY
        assert server.data_dir.is_relative_to(folder)


@pytest.mark.skipif(not ROOT, reason="needs root: only root can have a project that its server cannot reach")
def test_as_root_below_a_private_folder_programs_and_data_move_where_they_can_be_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    private = Path(tempfile.mkdtemp(prefix="ecg-private-"))  # mode 0700, like /root
    shared = Path(tempfile.mkdtemp(prefix="ecg-shared-"))
    shared.chmod(0o755)
    monkeypatch.setattr("ecg_center.embedded.binaries.SHARED_FOLDER", shared)
    monkeypatch.setattr("ecg_center.embedded.postgres.SHARED_FOLDER", shared)
    wheel = find_binaries(18).bin_dir.parents[1]
    shutil.copytree(wheel / "pginstall18", private / wheel.name / "pginstall18", symlinks=True)
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, private / libraries.name)
    bin_dir = private / wheel.name / "pginstall18" / "bin"
    try:
        with EmbeddedPostgres(private / "state", bin_dir=bin_dir) as server:
            url = server.superuser_url
            assert server.data_dir.is_relative_to(shared)
            assert any(word.startswith(str(shared)) for word in server.command())
        with EmbeddedPostgres(private / "state", bin_dir=bin_dir) as server:
            assert server.superuser_url == url
            assert len(list(shared.glob("postgresql-18-*"))) == 1
        shutil.copytree(private / "state", private / "copy")
        with pytest.raises(PostgresError, match="is a copy of the one in"):
            EmbeddedPostgres(private / "copy", bin_dir=bin_dir).prepare()
        shutil.rmtree(private / "copy")
        (private / "state").rename(private / "moved")
        with EmbeddedPostgres(private / "moved", bin_dir=bin_dir) as server:
            assert server.superuser_url == url
        server.reset()
        assert list(shared.glob("cluster-*")) == []
    finally:
        shutil.rmtree(private)
        shutil.rmtree(shared)


@pytest.mark.skipif(not ROOT, reason="needs root, to become somebody else")
def test_an_ordinary_user_runs_it_as_himself(folder: Path) -> None:
    state = folder / "state"
    state.mkdir()
    os.chown(state, NOBODY, NOBODY)
    program = reachable(find_binaries(18), Account(NOBODY, NOBODY))
    # The interpreter itself may lie where nobody cannot reach it, so a fork of this process does the work.
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            server = EmbeddedPostgres(state, bin_dir=program.bin_dir).prepare()
            account = server._ready_account()
            process = subprocess.Popen([program.program("postgres"), "-D", str(server.data_dir)], cwd="/", stderr=-3)
            server.wait_ready()
            process.send_signal(server.stop_signal)
            os._exit(process.wait(20) if account.is_me else 3)
        except BaseException:
            traceback.print_exc()
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (state / "postgres" / "data").stat().st_uid == NOBODY
