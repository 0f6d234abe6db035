"""Nothing or the whole item, at every moment; the same bytes once; nothing thrown away without a receipt."""

import errno
import hashlib
import os
import shutil
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

import gateway.files
import gateway.spool
from ecg_center.contract.upload import Problem, Receipt, RecordingIdentity, UploadOffer
from gateway.items import MANIFEST, RECEIPT, RECORDING, Origin, RecordingSizeError, SpoolBusyError, SpoolFullError
from gateway.spool import Spool

DATA = b"one resting ECG" * 100
SHA = hashlib.sha256(DATA).hexdigest()
ORIGIN = Origin(institution_code="C01", transport="dicom", device="REC1")
PROBLEM = Problem(type="not-allowed", title="not allowed", detail="Gateway does not serve C01.", retry=False)


def limits(**changed) -> SimpleNamespace:
    known = {
        "reserve_bytes": 0,
        "max_file_bytes": 10**6,
        "keep_delivered_days": 7,
        "keep_delivered_bytes": 10**9,
    }
    return SimpleNamespace(**(known | changed))


def receipt() -> Receipt:
    return Receipt(recording_id=uuid4(), study_id=uuid4(), stored_at=datetime.now(UTC), duplicate=False, matched=True)


def opened(root: Path, **changed) -> Spool:
    spool = Spool(root, limits(**changed))
    spool.open()
    return spool


class Crash(BaseException):
    """The process is gone: no handler of the code under test may run."""


def crash_at(line: int, work) -> bool:
    """Run ``work`` until so many lines of the spool have begun; whether it came to its end."""
    files = {gateway.spool.__file__, gateway.files.__file__}
    left = line

    def trace(frame, event, _argument):
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                raise Crash
        return trace

    sys.settrace(trace)
    try:
        work()
    except Crash:
        return False
    finally:
        sys.settrace(None)
    return True


def copies(root: Path) -> list[Path]:
    return [path for state in ("waiting", "delivered", "refused") for path in (root / state).iterdir()]


def test_a_stored_recording_is_whole_and_found_again(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    item = spool.store(ORIGIN, [DATA[:50], memoryview(DATA)[50:]])
    spool.close()

    again = opened(tmp_path)

    (found,) = again.items("waiting")
    assert found.key == item.key
    assert found.recording.read_bytes() == DATA
    assert found.offer.sha256 == SHA
    assert found.offer.size_bytes == len(DATA)
    assert again.verify(found)


def test_the_same_bytes_twice_are_one_item(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    woken = []
    spool.on_waiting = woken.append
    first, second = spool.store(ORIGIN, [DATA]), spool.store(ORIGIN, [DATA])
    assert first.key == second.key
    assert len(woken) == 1
    assert len(copies(tmp_path)) == 1
    assert not list((tmp_path / "incoming").iterdir())


def test_the_same_bytes_of_two_clinics_are_two_items(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.store(ORIGIN, [DATA])
    spool.store(ORIGIN.model_copy(update={"institution_code": "C02"}), [DATA])
    assert len(spool.items("waiting")) == 2


def test_many_threads_with_the_same_and_other_bytes(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    contents = [b"recording %d" % (number % 5) for number in range(40)]
    threads = [threading.Thread(target=spool.store, args=(ORIGIN, [content])) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {item.recording.read_bytes() for item in spool.items("waiting")} == set(contents)
    assert len(copies(tmp_path)) == 5
    assert not list((tmp_path / "incoming").iterdir())


def test_a_kill_at_every_line_of_store_leaves_nothing_or_the_whole(tmp_path: Path) -> None:
    line, finished = 0, False
    while not finished:
        line += 1
        root = tmp_path / str(line)
        spool = opened(root)
        finished = crash_at(line, lambda spool=spool: spool.store(ORIGIN, [DATA]))
        spool.close()

        after = opened(root)
        waiting = after.items("waiting")
        assert len(waiting) <= 1
        assert len(waiting) == 1 or not finished, "store returned, so the recording must be there"
        assert not list((root / "incoming").iterdir())
        assert not list((root / "corrupt").iterdir()), f"line {line} left half an item"
        assert all(item.recording.read_bytes() == DATA and after.verify(item) for item in waiting)
        after.store(ORIGIN, [DATA])  # the device sends again
        assert len(after.items("waiting")) == len(copies(root)) == 1
        after.close()
        shutil.rmtree(root)
    assert line > 40  # the trace did see the code


@pytest.mark.parametrize("fate", ["deliver", "refuse"])
def test_a_kill_at_every_line_of_a_move_loses_nothing(tmp_path: Path, fate: str) -> None:
    line, finished = 0, False
    while not finished:
        line += 1
        root = tmp_path / str(line)
        spool = opened(root)
        item = spool.store(ORIGIN, [DATA])
        given = receipt()
        work = (lambda: spool.deliver(item, given)) if fate == "deliver" else (lambda: spool.refuse(item, PROBLEM))  # noqa: B023
        finished = crash_at(line, work)
        spool.close()

        after = opened(root)
        (copy,) = copies(root)
        assert (copy / RECORDING).read_bytes() == DATA
        if finished:
            assert copy.parent.name == {"deliver": "delivered", "refuse": "refused"}[fate]
        if copy.parent.name == "delivered":
            assert Receipt.model_validate_json((copy / RECEIPT).read_bytes()) == given
        if copy.parent.name == "refused":
            assert after.items("refused")[0].problem == PROBLEM
        after.close()
        shutil.rmtree(root)


@pytest.mark.parametrize(("left", "state"), [(receipt(), "delivered"), (PROBLEM, "refused")])
def test_an_answer_that_was_written_but_not_acted_upon_counts(tmp_path: Path, left, state: str) -> None:
    spool = opened(tmp_path)
    item = spool.store(ORIGIN, [DATA])
    spool.close()
    (item.folder / {"delivered": RECEIPT, "refused": "problem.json"}[state]).write_text(left.model_dump_json())
    again = opened(tmp_path)
    assert [found.state for found in again.items(state)] == [state]
    assert not again.items("waiting")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the names behind descriptors are read from /proc")
def test_safe_is_said_after_the_fsync_of_bytes_manifest_and_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill cannot show, a power cut would: the order of fsync and rename."""
    steps: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def noted_fsync(descriptor: int) -> None:
        steps.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        fsync(descriptor)

    def noted_rename(self: Path, target: Path) -> Path:
        steps.append(f"rename to {Path(target).parent.name}")
        return rename(self, target)

    spool = opened(tmp_path)
    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "rename", noted_rename)
    spool.on_waiting = lambda _: steps.append("told")
    temporary = tmp_path / "incoming" / "1-known"
    monkeypatch.setattr(spool, "new_folder", lambda: temporary)
    spool.store(ORIGIN, [DATA])
    assert steps[0] == f"fsync {RECORDING}"
    assert MANIFEST in steps[1]
    assert steps[2:] == ["fsync 1-known", "rename to waiting", "fsync waiting", "told"]


@pytest.mark.parametrize("name", [MANIFEST, RECORDING])
def test_an_item_cut_off_at_any_byte_is_set_aside_never_sent(tmp_path: Path, name: str) -> None:
    origin = tmp_path / "origin"
    spool = opened(origin)
    key = spool.store(ORIGIN, [b"a short one"]).key
    spool.close()
    whole = (origin / "waiting" / key / name).read_bytes()
    for length in range(len(whole)):
        root = tmp_path / f"cut-{length}"
        shutil.copytree(origin, root)
        (root / "waiting" / key / name).write_bytes(whole[:length])

        after = Spool(root, limits())
        found = after.open()

        assert not after.items("waiting")
        assert len(found.corrupt) == 1
        (kept,) = (root / "corrupt").iterdir()
        assert (kept / name).read_bytes() == whole[:length]
        assert (kept / "reason.txt").read_text().strip()
        after.close()
        shutil.rmtree(root)


def test_a_changed_byte_is_noticed_before_the_upload(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    item = spool.store(ORIGIN, [DATA])
    spool.close()
    changed = bytearray(DATA)
    changed[7] ^= 1
    item.recording.write_bytes(changed)

    after = opened(tmp_path)
    (found,) = after.items("waiting")
    assert not after.verify(found)
    assert not after.items("waiting")
    (kept,) = (tmp_path / "corrupt").iterdir()
    assert (kept / RECORDING).read_bytes() == changed
    assert after.stats().corrupt == 1


def test_two_gateways_do_not_share_a_spool(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    with pytest.raises(SpoolBusyError, match="another gateway"):
        opened(tmp_path)
    spool.close()
    opened(tmp_path).close()


def test_a_refused_recording_waits_for_a_person(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.refuse(spool.store(ORIGIN, [DATA]), PROBLEM)
    spool.close()

    again = opened(tmp_path)
    assert again.items("refused")[0].problem == PROBLEM
    assert again.retry() == 1
    assert [item.offer.sha256 for item in again.items("waiting")] == [SHA]
    assert again.retry() == 0


def test_a_device_that_sends_a_refused_recording_again_gets_it_retried(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.refuse(spool.store(ORIGIN, [DATA]), PROBLEM)
    assert spool.store(ORIGIN, [DATA]).state == "waiting"
    assert len(copies(tmp_path)) == 1


def test_a_late_chest_pain_button_is_told_to_the_centre(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    pain = ORIGIN.model_copy(update={"identity": RecordingIdentity(chest_pain=True)})
    waiting = spool.store(ORIGIN, [DATA])
    assert spool.store(pain, [DATA]).urgent
    assert UploadOffer.model_validate_json((waiting.folder / MANIFEST).read_bytes()).identity.chest_pain

    other = spool.store(ORIGIN, [b"another"])
    spool.deliver(other, receipt())
    repeated = spool.store(pain, [b"another"])
    assert repeated.state == "waiting"
    assert repeated.urgent
    spool.deliver(repeated, receipt())
    assert spool.store(pain, [b"another"]).state == "delivered"
    assert len(copies(tmp_path)) == 2


def test_a_chest_pain_button_pressed_during_the_upload_is_offered_once_more(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    on_its_way = spool.store(ORIGIN, [DATA])
    spool.urge(on_its_way, RecordingIdentity(chest_pain=True))
    spool.deliver(on_its_way, receipt())  # the centre's answer to the offer without it
    (item,) = spool.items("waiting")
    assert item.urgent
    spool.deliver(item, receipt())
    assert spool.items("delivered")[0].urgent


def test_a_kill_at_every_line_of_a_late_chest_pain_loses_nothing(tmp_path: Path) -> None:
    line, finished = 0, False
    while not finished:
        line += 1
        root = tmp_path / str(line)
        spool = opened(root)
        item = spool.store(ORIGIN, [DATA])
        spool.deliver(item, receipt())
        (delivered,) = spool.items("delivered")
        finished = crash_at(line, lambda: spool.urge(delivered, RecordingIdentity(urgent=True)))  # noqa: B023
        spool.close()
        after = opened(root)
        (copy,) = copies(root)
        assert (copy / RECORDING).read_bytes() == DATA
        assert not finished or after.items("waiting")[0].urgent
        assert after.store(ORIGIN.model_copy(update={"identity": RecordingIdentity(urgent=True)}), [DATA]).urgent
        after.close()
        shutil.rmtree(root)


def test_delivered_copies_go_when_they_are_old_or_many_and_only_with_a_receipt(tmp_path: Path) -> None:
    spool = opened(tmp_path, keep_delivered_bytes=25)
    for number in range(4):
        item = spool.store(ORIGIN, [b"recording%d" % number])  # 10 bytes each
        spool.deliver(item, receipt())
        os.utime(tmp_path / "delivered" / item.key / RECEIPT, (number, number))
    without = spool.items("delivered")[0]
    (without.folder / RECEIPT).unlink()

    assert spool.prune() == 3  # 40 bytes are too many; the rest is from 1970, older than seven days
    assert [item.key for item in spool.items("delivered")] == [without.key]
    assert without.recording.exists()
    fresh = spool.store(ORIGIN, [b"fresh"])
    spool.deliver(fresh, receipt())
    assert spool.prune() == 0
    assert spool.prune(datetime.now(UTC) + timedelta(days=8)) == 1


def test_the_reserve_refuses_the_new_and_frees_the_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = opened(tmp_path, reserve_bytes=1000)
    kept = spool.store(ORIGIN, [DATA])
    delivered = spool.store(ORIGIN, [b"delivered"])
    spool.deliver(delivered, receipt())
    monkeypatch.setattr(gateway.spool, "free_bytes", lambda _: 500)
    with pytest.raises(SpoolFullError, match="free some space"):
        spool.store(ORIGIN, [b"one more"])
    assert not spool.items("delivered"), "copies that the centre has give way first"
    assert kept.recording.read_bytes() == DATA


def test_a_failing_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = opened(tmp_path)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(gateway.files, "sync_file", full)
    with pytest.raises(SpoolFullError):
        spool.store(ORIGIN, [DATA])
    assert not list((tmp_path / "incoming").iterdir())
    assert not copies(tmp_path)


@pytest.mark.parametrize("data", [b"", b"x" * 1001])
def test_empty_and_too_large_recordings_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(RecordingSizeError):
        opened(tmp_path, max_file_bytes=1000).store(ORIGIN, [data])


def test_metadata_beyond_the_contract_costs_no_recording(tmp_path: Path) -> None:
    origin = Origin(
        institution_code="C01",
        transport="dicom",
        device="R" * 100,
        device_address="a" * 100,
        file_name="n" * 300,
        sop_instance_uid="not a uid",
    )
    offer = opened(tmp_path).store(origin, [DATA]).offer
    assert (offer.device, offer.device_address, offer.file_name, offer.sop_instance_uid) == ("R" * 64, None, None, None)


def test_what_another_process_put_is_seen(tmp_path: Path) -> None:
    service = opened(tmp_path)
    woken = []
    service.on_waiting = woken.append
    command = Spool(tmp_path, limits())
    command.attach()
    command.store(ORIGIN, [DATA])
    service.refresh()
    assert [item.offer.sha256 for item in woken] == [SHA]

    service.refuse(service.items("waiting")[0], PROBLEM)
    command = Spool(tmp_path, limits())
    command.attach()
    assert command.retry() == 1
    service.refresh()
    assert [item.offer.sha256 for item in service.items("waiting")] == [SHA]


def test_a_start_spares_what_a_living_command_is_writing(tmp_path: Path) -> None:
    opened(tmp_path).close()
    living, dead, own = (tmp_path / "incoming" / f"{pid}-x" for pid in (os.getppid(), 2**22 + 12345, os.getpid()))
    for folder in (living, dead, own):
        folder.mkdir()
    assert Spool(tmp_path, limits()).open().unfinished_removed == 2
    assert living.exists()
