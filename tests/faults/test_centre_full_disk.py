"""A full disk at the centre: the gateway is told to come again, and nothing that was taken is lost."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from support.centre import Centre

from ecg_center.contract.upload import UploadOffer
from ecg_center.intake.parts import Parts
from ecg_center.intake.uploads import Uploads
from ecg_center.store.blobs import Blobs

pytestmark = pytest.mark.faults

CONTENT = bytes(range(256)) * 2000
"""512 000 bytes."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk needs root (mount)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def grow(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=3m", str(folder)], check=True)


def offer() -> UploadOffer:
    return UploadOffer(
        sha256=sha256(CONTENT).hexdigest(),
        size_bytes=len(CONTENT),
        institution_code="T1",
        transport="dicom",
        device="DEMO_T1_ECG",
        safe_at=datetime.now(UTC),
    )


async def send(centre: Centre, at: int, chunk: int = 100_000):
    body = offer()
    async with centre.gateway() as client:
        answer = await client.post("/api/gateway/uploads", json=body.model_dump(mode="json"))
        status = answer.raise_for_status().json()
        assert status["offset_bytes"] >= at
        while status["receipt"] is None:
            start = status["offset_bytes"]
            answer = await client.patch(
                f"/api/gateway/uploads/{body.sha256}",
                headers={"Upload-Offset": str(start)},
                content=CONTENT[start : start + chunk],
            )
            if answer.is_error:
                return answer, start
            status = answer.json()
    return answer, len(CONTENT)


async def test_a_full_upload_disk_keeps_what_it_has_and_goes_on(centre: Centre, small_disk: Path) -> None:
    centre.app.state.uploads = Uploads(centre.database, Parts(small_disk), centre.app.state.blobs)
    refused, offset = await send(centre, 0)
    assert (refused.status_code, refused.json()["type"], refused.json()["retry"]) == (507, "no-room", True)
    assert offset == 300_000
    grow(small_disk)
    done, _ = await send(centre, offset)
    assert done.json()["receipt"]["duplicate"] is False
    assert await centre.app.state.blobs.get(f"original/{offer().sha256[:2]}/{offer().sha256}") == CONTENT


async def test_a_full_blob_store_takes_nothing_half(centre: Centre, small_disk: Path, tmp_path: Path) -> None:
    blobs = Blobs(str(small_disk))
    centre.app.state.uploads = Uploads(centre.database, Parts(tmp_path / "parts"), blobs)
    refused, _ = await send(centre, 0)
    assert (refused.status_code, refused.json()["type"], refused.json()["retry"]) == (507, "no-room", True)
    assert [path for path in small_disk.rglob("*") if path.is_file()] == []
    grow(small_disk)
    async with centre.gateway() as client:
        again = await client.post("/api/gateway/uploads", json=offer().model_dump(mode="json"))
    assert again.json()["receipt"]["duplicate"] is False
    assert await blobs.get(f"original/{offer().sha256[:2]}/{offer().sha256}") == CONTENT
