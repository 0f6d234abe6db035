"""A full disk: the device is told so, what is safe stays safe and goes on, and room brings everything back."""

import contextlib
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid
from support.contract_centre import ContractCentre
from support.gateway_process import GatewayProcess
from support.network import wait_for

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(shutil.which("storescu") is None, reason="dcmtk is not installed (apt-get install dcmtk)"),
]


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 3 MiB."""
    folder = Path(tempfile.mkdtemp(prefix="ecg-small-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip(f"no file system can be mounted here ({mounted.stderr.decode().strip()}); run as root")
    yield folder
    subprocess.run(["umount", str(folder)], check=False)
    folder.rmdir()


def send(folder: Path, port: int) -> bool:
    """Send a new instance of 288 KB; whether the gateway said Success."""
    known = pydicom.dcmread(str(pydicom.data.get_testdata_file("waveform_ecg.dcm")))
    known.SOPInstanceUID = known.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    path = folder / "instance.dcm"
    known.save_as(path)
    sent = subprocess.run(
        ["storescu", "-v", "-aet", "REC1", "127.0.0.1", str(port), str(path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert sent.returncode == 0 or "Refused: OutOfResources" in sent.stderr, sent.stderr
    return sent.returncode == 0


@pytest.mark.parametrize("reserve_bytes", [0, 512 * 1024], ids=["no reserve", "reserve"])
def test_a_full_disk_hurts_nothing_that_is_safe(
    small_disk: Path, tmp_path: Path, free_port: Callable[[], int], reserve_bytes: int
) -> None:
    far = ContractCentre(tmp_path / "centre").start()
    gateway = GatewayProcess(
        tmp_path,
        far.url,
        free_port(),
        devices={"REC1": "C01"},
        spool=str(small_disk / "spool"),
        reserve_bytes=reserve_bytes,
    )
    gateway.spool = small_disk / "spool"
    far.stop()  # the centre is away, so nothing leaves the disk
    try:
        gateway.start()
        answers = [send(tmp_path, gateway.port) for _ in range(14)]
        told_safe = sum(answers)
        assert 4 <= told_safe < 14
        assert not any(answers[told_safe:]), "once full, it stays full"
        assert len(list((gateway.spool / "waiting").iterdir())) == told_safe
        gateway.kill()
        gateway.start()  # a start on a full disk
        status = gateway.run("status")
        assert status.returncode == 0, status.stderr
        far.start()
        wait_for(lambda: len(far.taken) == told_safe, "the recordings do not arrive", 40)
        wait_for(lambda: not list((gateway.spool / "waiting").iterdir()), "the spool does not empty", 40)
        assert send(tmp_path, gateway.port), "delivered copies give way to the new"
        assert send(tmp_path, gateway.port)
        wait_for(lambda: len(far.taken) == told_safe + 2, "the recordings do not arrive")
        assert gateway.stop() == 0
    finally:
        with contextlib.suppress(AssertionError):
            gateway.kill()
        far.stop()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits a running process")
def test_a_write_that_fails_in_its_midst_leaves_nothing(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """EFBIG from the system after 100 kB, as a quota would give it."""
    far = ContractCentre(tmp_path / "centre").start()
    gateway = GatewayProcess(tmp_path, far.url, free_port(), devices={"REC1": "C01"})
    try:
        gateway.start()
        unlimited = resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        assert not send(tmp_path, gateway.port)
        assert not list((gateway.spool / "incoming").iterdir())
        assert not list((gateway.spool / "waiting").iterdir())
        resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, unlimited)
        assert send(tmp_path, gateway.port)
        wait_for(lambda: len(far.taken) == 1, "the recording does not arrive")
    finally:
        gateway.stop()
        far.stop()
