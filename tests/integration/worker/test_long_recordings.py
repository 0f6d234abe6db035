"""A day is read beside the urgent ones, once, whatever is killed; what it says follows the physician's edits."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from support import days
from support.centre import Centre
from support.studies import ecg, events, register, study_of, upload

from ecg_center.contract.findings import LONG_QUEUE, PREREAD_QUEUE, Findings
from ecg_center.contract.holter import Edit
from ecg_center.store.migrate import plain_url
from ecg_center.store.session import EVERYTHING
from worker.long_files import Request
from worker.long_jobs import preread_long, sweep_scratch
from worker.tasks import preread

REPOSITORY = Path(__file__).resolve().parents[3]


async def jobs(centre: Centre) -> list[tuple[str, str]]:
    async with centre.database.transaction(EVERYTHING) as session:
        rows = await session.execute(
            text("SELECT queue_name, task_name FROM procrastinate_jobs WHERE queue_name LIKE 'preread%' ORDER BY id")
        )
        return [tuple(row) for row in rows]


async def test_a_quick_slot_hands_a_day_over(centre: Centre) -> None:
    exam = await days.received(centre)
    assert await jobs(centre) == [(PREREAD_QUEUE, "preread")]
    await preread(days.bench(centre), exam.recording_id, 100)
    assert await jobs(centre) == [(PREREAD_QUEUE, "preread"), (LONG_QUEUE, "preread")]
    waiting = await days.progress(centre, exam.recording_id)
    assert waiting is not None
    assert (waiting.stage, waiting.share) == ("waiting", 0.0)
    async with centre.database.transaction(EVERYTHING) as session:
        assert (await session.execute(text("SELECT max(priority) FROM procrastinate_jobs"))).scalar_one() == 100


async def test_a_day_is_read_and_read_again_to_the_same(centre: Centre) -> None:
    exam = await days.received(centre)
    await preread_long(days.bench(centre), exam.recording_id)
    first = await days.recording(centre, exam.recording_id)
    assert first.state == "decoded"
    assert first.waveform is not None
    assert first.waveform["kind"] == "holter"
    assert await days.progress(centre, exam.recording_id) is None
    (row,) = await days.findings(centre, exam.recording_id)
    assert set(row.files) == {"beats", "atr"}
    found = Findings.model_validate(row.content)
    assert found.holter is not None
    assert 1500 < sum(found.holter.beats.values()) < 3500
    assert (await study_of(centre, exam.study_id)).state == "preread"
    keys = [
        *first.waveform["files"].values(),
        first.waveform["pyramid"],
        first.waveform["measured"],
        *row.files.values(),
    ]
    for key in keys:
        assert await centre.press.blobs.exists(key), key
    await preread_long(days.bench(centre), exam.recording_id)
    again = await days.recording(centre, exam.recording_id)
    assert again.waveform == first.waveform
    assert len(await days.findings(centre, exam.recording_id)) == 1
    assert not list(Path(tempfile.gettempdir()).glob(f"ecg-long-{os.getpid()}-*"))


async def test_a_damaged_original_is_not_read(centre: Centre) -> None:
    from ecg_center.store.blobs import original_key
    from worker.work import DamagedOriginalError

    exam = await days.received(centre)
    sha256 = (await days.recording(centre, exam.recording_id)).sha256
    path = Path(centre.store.blobs) / original_key(sha256)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-2] + b"xx")
    with pytest.raises(DamagedOriginalError):
        await preread_long(days.bench(centre), exam.recording_id)
    assert (await days.recording(centre, exam.recording_id)).state == "stored"


async def test_bytes_that_are_no_recording_are_set_aside(centre: Centre) -> None:
    receipt = await upload(centre, b"not a recording" * 400_000)
    await preread(days.bench(centre), receipt.recording_id)
    assert (await jobs(centre))[-1][0] == LONG_QUEUE
    await preread_long(days.bench(centre), receipt.recording_id)
    found = await days.recording(centre, receipt.recording_id)
    assert (found.state, bool(found.reason)) == ("quarantined", True)
    assert await days.progress(centre, receipt.recording_id) is None


async def test_edits_are_replayed_undone_and_taken_back(centre: Centre) -> None:
    exam = await days.read_day(centre)
    (machine,) = await days.findings(centre, exam.recording_id)
    before = Findings.model_validate(machine.content).holter
    assert before is not None
    usual = before.templates[0]
    await write(centre, exam, Edit(action="relabel_template", template=usual.id, label="F"))
    await days.conclude_again(centre, exam.recording_id)
    machine, edited = await days.findings(centre, exam.recording_id)
    after = Findings.model_validate(edited.content).holter
    assert after is not None
    assert after.beats["F"] == before.beats.get("F", 0) + usual.beats
    assert (edited.edited, edited.edits, machine.edits) == (True, 1, 0)
    assert Findings.model_validate(machine.content).holter == before
    assert edited.files["beats"] != machine.files["beats"]

    await write(centre, exam, Edit(action="undo", undoes=0))
    await write(centre, exam, Edit(action="delete_beats", at_s=[0.001]))  # no beat stands there
    await days.conclude_again(centre, exam.recording_id)
    _, edited = await days.findings(centre, exam.recording_id)
    undone = Findings.model_validate(edited.content).holter
    assert undone is not None
    assert undone.beats == before.beats
    listed = await days.edits(centre, exam.recording_id)
    assert [one.content["action"] for one in listed] == ["relabel_template", "undo", "delete_beats", "undo"]
    assert listed[-1].person_id is None
    assert "no beat" in listed[-1].why
    assert edited.edits == 4
    took = edited.created_at
    await days.conclude_again(centre, exam.recording_id)  # a second job of the same edits has nothing to do
    assert (await days.findings(centre, exam.recording_id))[1].created_at == took


async def write(centre: Centre, exam: days.Exam, edit: Edit) -> None:
    """An edit as the centre writes it, without its page."""
    from datetime import UTC, datetime

    from ecg_center.store.tables import FindingsEdit

    institution = (await study_of(centre, exam.study_id)).institution_id
    async with centre.database.transaction(EVERYTHING) as session:
        session.add(
            FindingsEdit(
                institution_id=institution,
                recording_id=exam.recording_id,
                study_id=exam.study_id,
                position=len(await days.edits(centre, exam.recording_id)),
                content=edit.model_dump(mode="json", exclude_defaults=True),
                person_name="test",
                at=datetime.now(UTC),
            )
        )


async def test_a_day_read_anew_takes_its_edits_along(centre: Centre) -> None:
    exam = await days.read_day(centre)
    await write(centre, exam, Edit(action="exclude", start_s=10, end_s=600))
    with days.in_this_process():
        await preread_long(days.bench(centre), exam.recording_id)
    assert (PREREAD_QUEUE, "reconclude") in await jobs(centre)
    await days.conclude_again(centre, exam.recording_id)
    machine, edited = await days.findings(centre, exam.recording_id)
    shares = [Findings.model_validate(row.content).holter.analysed_share for row in (machine, edited)]  # type: ignore[union-attr]
    assert shares[1] < shares[0] - 0.2


class Workers:
    """``ecg-worker run`` on a test's database."""

    def __init__(self, centre: Centre, log: Path) -> None:
        self._centre, self._log = centre, log
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        env = os.environ | {
            "ECG_DATABASE_URL": self._centre.store.database_url,
            "ECG_BLOBS": self._centre.store.blobs,
            "ECG_UPLOADS": str(self._centre.store.uploads),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")])),
        }
        program = "import sys; from worker.cli import main; sys.exit(main(['run']))"
        with self._log.open("ab") as log:
            self.started.append(subprocess.Popen([sys.executable, "-c", program], env=env, stderr=log))
        return self.started[-1]


@pytest.fixture
def workers(centre: Centre, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(centre, tmp_path / "worker.log")
    yield made
    for process in made.started:
        process.kill()
        process.wait()


async def until(condition, seconds: float = 90):
    ends = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < ends, "it did not come"
        await asyncio.sleep(0.05)
    return found


def children(parent: int) -> list[int]:
    """The reading processes of a worker."""
    listed = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False).stdout
    return [int(line) for line in listed.split()]


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes as Linux shows them")
async def test_a_resting_ecg_is_not_kept_waiting_and_a_kill_leaves_no_reader(centre: Centre, workers: Workers) -> None:
    exam = await days.received(centre)
    process = workers.start()
    row = await until(lambda: days.progress(centre, exam.recording_id))
    assert row.study_id == exam.study_id
    reading = await until(lambda: asyncio.to_thread(children, process.pid))

    study = await register(centre)
    urgent = await upload(centre, ecg(1), accession_number=study.accession_number)
    await until(lambda: decoded(centre, urgent.recording_id), 30)
    assert (await days.recording(centre, exam.recording_id)).state == "stored", "the day is read behind it"

    process.send_signal(signal.SIGKILL)
    process.wait()
    await until(lambda: asyncio.to_thread(lambda: not any(map(is_running, reading))), 10)
    with psycopg.connect(plain_url(centre.store.database_url), autocommit=True) as connection:
        connection.execute("UPDATE procrastinate_jobs SET status = 'todo' WHERE status = 'doing'")  # the hunt's work
    workers.start()
    await until(lambda: decoded(centre, exam.recording_id))
    assert len(await days.findings(centre, exam.recording_id)) == 1
    assert [line.what for line in await events(centre, exam.study_id)].count("preread") == 1
    assert await days.progress(centre, exam.recording_id) is None


async def decoded(centre: Centre, recording_id: UUID) -> bool:
    return (await days.recording(centre, recording_id)).state == "decoded"


def test_what_a_killed_worker_left_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = subprocess.Popen(["true"])
    gone.wait()
    for name in (f"ecg-long-{gone.pid}-abc", f"ecg-long-{os.getpid()}-abc", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "original").write_bytes(b"x")
    sweep_scratch()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"ecg-long-{os.getpid()}-abc", "other"]


def test_a_reader_ends_when_nobody_asks_any_more(tmp_path: Path) -> None:
    (tmp_path / "original").write_bytes(days.holter())
    request = Request(path=tmp_path / "original", folder=tmp_path, record_name="day", rule_set="national_2017")
    reader = subprocess.Popen(
        [sys.executable, "-m", "worker.long_reading"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write(request.model_dump_json().encode() + b"\n")
    reader.stdin.flush()
    assert b"decode" in reader.stdout.readline()
    reader.stdin.close()
    assert reader.wait(20) == 1
    assert not (tmp_path / "result.json").exists()
