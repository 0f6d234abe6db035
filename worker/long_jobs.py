"""How is a recording of days read beside the resting ECGs, and how does a physician's edit become new findings?

A long recording is read by a process of its own (``long_reading``, docs/adr/0008), one at a time; this side brings it
the bytes, tells the pages how far it is, and writes down what came out in one transaction. A job may come twice, or
after a kill: everything is done again, to the same bytes under the same names. An edit needs no signal: what was
measured is kept, and is concluded from again in the worker itself.
"""

import asyncio
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from pydantic import ValidationError

from ecg_center.contract.findings import RECONCLUDE_PRIORITY, Findings
from ecg_center.contract.holter import Edit
from ecg_center.store.blobs import original_key, waveform_key
from ecg_center.store.session import EVERYTHING
from worker import queries
from worker.holter.conclude import conclude
from worker.holter.edits import EditError, apply
from worker.holter.measured import Measured
from worker.holter.stored import VERSION, from_bytes
from worker.long_files import RESULT, Request, Result, Told, beat_files, edition_of
from worker.pressure.combined import joined
from worker.resting import Patient
from worker.work import Bench, DamagedOriginalError

log = structlog.get_logger(__name__)

SCRATCH: Final = "ecg-long-"
"""Folders of this name, with the worker's process number, hold what is being read."""
TELL_EVERY_S: Final = 1.0
"""A page refreshes no more often (static/js/live.js)."""
LEAST_TOLD: Final = 0.05
"""What is left is not said from less: starting the process takes its second, too."""
KEPT_DAYS: Final = 2
"""Measured days kept in memory between edits: a physician works on one, a second reads another."""
MAX_REFUSED: Final = 100
"""Edits that cannot be applied are taken back one by one; more than this is no physician's work."""


class LongReadingError(Exception):
    """The process that read a long recording ended without a result: it was killed, or had no memory left."""


async def preread_long(bench: Bench, recording_id: UUID) -> None:
    """Read one long recording and write down what it says.

    Raises:
        DamagedOriginalError, BlobMissingError, LongReadingError: the job is retried.
    """
    started = time.perf_counter()
    async with bench.database.transaction(EVERYTHING) as session:
        work = await queries.load(session, recording_id)
    if work is None or work.state in ("quarantined", "dismissed"):
        return
    with tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{os.getpid()}-") as name:
        folder = Path(name)
        request = Request(
            path=folder / "original",
            folder=folder,
            record_name=work.sha256,
            sex=work.sex,
            birth_date=work.birth_date,
            rule_set=bench.settings.rule_set,
            pressure_guideline=bench.settings.pressure_guideline,
            indication=work.indication,
        )
        if await bench.blobs.save(original_key(work.sha256), request.path) != work.sha256:
            raise DamagedOriginalError(f"original {work.sha256} is damaged in the store")
        result = await _read(bench, recording_id, request)
        if result.unreadable:
            log.warning("recording_quarantined", recording=str(recording_id), reason=result.unreadable)
            async with bench.database.transaction(EVERYTHING) as session:
                await queries.quarantine(session, recording_id, result.unreadable, bench.actor, datetime.now(UTC))
            return
        keys = await _store(bench, work.sha256, folder, result)
    async with bench.database.transaction(EVERYTHING) as session:
        await queries.store_read(
            session,
            recording_id,
            waveform=_waveform(result, keys),
            identity=result.identity,
            started_at=datetime.fromisoformat(result.started_at) if result.started_at else None,
            findings=result.findings,
            failure=result.failure,
            took_ms=round((time.perf_counter() - started) * 1000),
            actor=bench.actor,
            now=datetime.now(UTC),
            files={kind: keys[file] for kind, file in result.said.items()},
        )
        await queries.conclude_anew(session, recording_id)


async def _read(bench: Bench, recording_id: UUID, request: Request) -> Result:
    """Have the file read by a process of its own; tells the pages how far it is."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "worker.long_reading",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(request.model_dump_json().encode() + b"\n")
        await process.stdin.drain()
        began, told_at = time.monotonic(), -TELL_EVERY_S
        async for line in process.stdout:
            told = Told.model_validate_json(line)
            if time.monotonic() - told_at < TELL_EVERY_S:
                continue
            told_at = time.monotonic()
            left_s = remaining_s(told.share, told_at - began)
            async with bench.database.transaction(EVERYTHING) as session:
                await queries.show_progress(session, recording_id, told.share, told.stage, left_s)
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        return Result.model_validate_json((request.folder / RESULT).read_bytes())
    except (OSError, ValidationError) as error:
        raise LongReadingError(f"the process that read {request.record_name} ended with code {code}") from error


def remaining_s(share: float, took_s: float) -> float | None:
    """What a reading will still take if it goes on as it went; None before a twentieth of it is done.

    >>> remaining_s(0.25, 10.0), remaining_s(0.01, 2.0)
    (30.0, None)
    """
    return None if share < LEAST_TOLD else took_s * (1 - share) / share


async def _store(bench: Bench, sha256: str, folder: Path, result: Result) -> dict[str, str]:
    """Store what the process left; file name → blob key. The same files always get the same keys."""
    own = [name for name in (result.pyramid, result.measured) if name]
    waveform = {f"{sha256}{suffix}": suffix for suffix in result.files}
    keys: dict[str, str] = {}
    for names in (sorted(waveform), own, sorted(result.said.values())):
        if not names:
            continue
        edition = await asyncio.to_thread(edition_of, folder, names)
        for name in names:
            keys[name] = waveform_key(sha256, f"-{edition}{waveform.get(name, '-' + name)}")
            await bench.blobs.put(keys[name], folder / name)
    return keys


def _waveform(result: Result, keys: dict[str, str]) -> dict[str, object]:
    day: dict[str, object] = {
        kind: keys[name] for kind, name in (("pyramid", result.pyramid), ("measured", result.measured)) if name
    }
    if result.measured:
        day["measured_version"] = VERSION
    return {**result.waveform, "files": {suffix: keys[name] for suffix, name in result.files.items()}, **day}


class MeasuredDays:
    """The days that were last concluded from, by the key of their file."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Measured] = OrderedDict()

    async def get(self, bench: Bench, key: str) -> Measured:
        """What was measured, from memory or the blob store."""
        if key not in self._kept:
            content = await bench.blobs.get(key)
            self._kept[key] = await asyncio.to_thread(from_bytes, content)
            while len(self._kept) > KEPT_DAYS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


async def reconclude(bench: Bench, days: MeasuredDays, recording_id: UUID) -> None:
    """Replay a day's edits over what was measured and write down what follows.

    An edit that cannot be applied is taken back with the reason: a list that only grows must never get stuck.
    """
    started = time.perf_counter()
    for _ in range(MAX_REFUSED):
        async with bench.database.transaction(EVERYTHING) as session:
            work = await queries.load(session, recording_id)
            edits = [Edit.model_validate(content) for content in await queries.edits_of(session, recording_id)]
            held = await queries.holds(session, recording_id, len(edits))
            machine = await queries.machine_findings(session, recording_id)
        if work is None or work.measured is None or held:
            return
        if work.measured_version != VERSION:  # an earlier release measured it: once more, and the edits follow
            async with bench.database.transaction(EVERYTHING) as session:
                await queries.hand_over(session, recording_id, RECONCLUDE_PRIORITY)
            return
        measured = await days.get(bench, work.measured)
        patient = Patient(sex=work.sex, birth_date=work.birth_date)
        try:
            findings, files = await asyncio.to_thread(concluded, measured, patient, edits, bench.settings.rule_set)
            break
        except EditError as error:
            log.warning("edit_taken_back", recording=str(recording_id), reason=str(error))
            async with bench.database.transaction(EVERYTHING) as session:
                await queries.take_back(session, recording_id, error.position, error.reason, bench.actor)
    else:
        log.error("edits_given_up", recording=str(recording_id))
        return
    if machine is not None:
        findings = joined(findings, machine)
    keys = {}
    for kind, content in files.items():
        edition = hashlib.sha256(content).hexdigest()[:12]
        keys[kind] = waveform_key(work.sha256, f"-{edition}-edited.{kind}")
        await bench.blobs.put(keys[kind], content)
    async with bench.database.transaction(EVERYTHING) as session:
        await queries.store_edited(
            session,
            recording_id,
            findings,
            keys,
            edits=len(edits),
            took_ms=round((time.perf_counter() - started) * 1000),
            actor=bench.actor,
            now=datetime.now(UTC),
        )


def concluded(
    measured: Measured, patient: Patient, edits: list[Edit], rule_set: str
) -> tuple[Findings, dict[str, bytes]]:
    """The findings with these edits, and the files that belong to them."""
    findings = conclude(measured, patient, edits=edits, rule_set=rule_set)
    changed = apply(measured, edits)
    return findings, beat_files(changed.beats, changed.sampling_hz)


def sweep_scratch() -> None:
    """Remove what a killed worker of this machine left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        number = folder.name.removeprefix(SCRATCH).split("-")[0]
        if number.isdigit() and not _lives(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
