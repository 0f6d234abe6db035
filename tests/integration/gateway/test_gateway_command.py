"""``ecg-gateway`` as a person and as the supervisor use it: a real process, its words and its exit codes."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pydicom
import pytest
from support.contract_centre import ContractCentre
from support.gateway_process import REPOSITORY, GatewayProcess
from support.network import wait_for

from ecg_center.contract.orders import OpenOrder, OpenOrders
from ecg_center.contract.upload import Problem
from gateway.orders import OrderCache

ORDER = OpenOrder(
    study_id=UUID(int=1),
    institution_code="C01",
    accession_number="E0001",
    study_instance_uid="1.2.3",
    kind="resting",
    patient_id="P1",
    patient_name="王小明",
    sex="F",
    birth_date=date(1980, 5, 6),
    procedure="常规心电图",
    indication="",
    urgent=False,
    chest_pain=False,
    registered_at=datetime(2026, 3, 2, tzinfo=UTC),
)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[ContractCentre]:
    centre = ContractCentre(tmp_path / "centre").start()
    yield centre
    centre.stop()


@pytest.fixture
def gateway(tmp_path: Path, far: ContractCentre, free_port: Callable[[], int]) -> Iterator[GatewayProcess]:
    process = GatewayProcess(tmp_path, far.url, free_port(), devices={"REC1": "C01"})
    yield process
    process.stop()


def test_help_teaches(gateway: GatewayProcess) -> None:
    said = gateway.run("--help").stdout
    for word in ("run", "check", "status", "retry", "put", "simulate", "[gateway.devices]", "token"):
        assert word in said
    assert "--chest-pain" in gateway.run("put", "--help").stdout
    assert gateway.run("simulate", "--help").returncode == 0


def test_a_whole_day_of_a_gateway(gateway: GatewayProcess, far: ContractCentre, tmp_path: Path) -> None:
    far.orders = [ORDER]
    gateway.start()
    wait_for(lambda: bool(far.heartbeats), "no heartbeat")
    assert far.heartbeats[0].spool_waiting == 0
    assert far.heartbeats[0].disk_free_bytes > 0

    second = gateway.run("run")
    assert second.returncode == 1
    assert "another gateway" in second.stderr

    checked = gateway.run("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "1 open orders" in checked.stdout

    recording = Path(str(pydicom.data.get_testdata_file("waveform_ecg.dcm")))
    put = gateway.run(
        "put", str(recording), "--clinic", "C01", "--device", "USB", "--accession", "E0001", "--chest-pain"
    )
    assert put.returncode == 0, put.stderr
    wait_for(lambda: len(far.taken) == 1, "the put recording does not arrive")
    (offer,) = far.offers.values()
    assert (offer.transport, offer.device, offer.file_name) == ("folder", "USB", "waveform_ecg.dcm")
    assert (offer.identity.accession_number, offer.identity.chest_pain) == ("E0001", True)
    assert offer.identity.patient_id == "642341"
    assert (far.stored / offer.sha256).read_bytes() == recording.read_bytes()

    far.refuse_with = Problem(type="not-allowed", title="no", detail="Not this clinic.", retry=False)
    other = tmp_path / "other.bin"
    other.write_bytes(b"a recording of another format")
    assert gateway.run("put", str(other), "--clinic", "C01", "--device", "USB").returncode == 0
    wait_for(lambda: bool(json.loads(gateway.run("status", "--json").stdout)["refused"]), "it is not refused")
    assert "Not this clinic." in gateway.run("status").stdout
    far.refuse_with = None
    assert "1 refused" in gateway.run("retry").stdout
    wait_for(lambda: len(far.taken) == 2, "the retried recording does not arrive")

    assert gateway.stop() == 0
    assert "Traceback" not in gateway.log()
    for path in gateway.spool.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, f"{path} can be read by others"


def test_orders_are_kept_while_the_centre_is_away(gateway: GatewayProcess, far: ContractCentre, tmp_path: Path) -> None:
    if shutil.which("findscu") is None:
        pytest.skip("dcmtk is not installed (apt-get install dcmtk)")
    far.orders = [ORDER]
    gateway.start()
    wait_for((gateway.spool / "orders.json").exists, "the orders are not kept")
    gateway.stop()
    far.stop()
    gateway.start()
    command = ["findscu", "-aet", "REC1", "-v", "-W", "-k", "PatientID", "127.0.0.1", str(gateway.port)]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert "[P1" in said.stderr + said.stdout


def test_the_order_cache_survives_damage_and_asks_for_changes_only(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    cache = OrderCache(tmp_path / "orders.json")
    assert cache.age(now) is None
    assert cache.of("C01") == []
    cache.keep(OpenOrders(as_of=now, orders=[ORDER]), '"tag"', now)
    again = OrderCache(tmp_path / "orders.json")
    again.load()
    assert again.etag == '"tag"'
    assert [order.patient_id for order in again.of("C01")] == ["P1"]
    assert again.of("C02") == []
    (tmp_path / "orders.json").write_bytes(b"{half")
    damaged = OrderCache(tmp_path / "orders.json")
    damaged.load()
    assert damaged.age(now) is None


def test_wrong_settings_name_the_key(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text('[gateway]\ncentre_url = "http://far.example"\ntoken = "x"\n')
    command = [sys.executable, "-m", "gateway.cli", "--config", str(config), "run"]
    said = subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=30)
    assert said.returncode == 2
    assert "token" in said.stderr
    assert "Traceback" not in said.stderr


def test_check_says_what_is_wrong(tmp_path: Path, free_port: Callable[[], int]) -> None:
    gateway = GatewayProcess(
        tmp_path,
        f"http://127.0.0.1:{free_port()}",
        free_port(),
        devices={},
        mqtt={"enabled": True, "url": f"mqtt://127.0.0.1:{free_port()}"},
        printers={"C01": f"ipp://127.0.0.1:{free_port()}/ipp/print"},
    )
    said = gateway.run("check")
    assert said.returncode == 1
    lines = said.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ok", "WRONG", "WRONG", "WRONG", "WRONG"]
    assert "[gateway.devices]" in lines[1]
    assert "is it on" in lines[4]
