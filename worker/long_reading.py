"""How does a file of hours or days become a folder of files? ``python -m worker.long_reading``, a process of its own.

Its memory is returned whole when it ends, its loops share no lock with the worker that reads resting ECGs beside it,
and the system runs it behind everything else. It is told what to do by one line of JSON on its standard input, says how
far it has come by lines of JSON on its standard output, and leaves ``result.json`` in the folder. When its input ends,
whoever started it is gone: it ends too.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

import numpy as np
import structlog

from ecg_center.store.waveforms import WaveformError, encode_to
from worker.formats import UnreadableRecording, read
from worker.formats.errors import DamagedRecording
from worker.holter import pyramid
from worker.holter.analysis import analyse as analyse_day
from worker.holter.stored import to_bytes
from worker.logs import configure_logs
from worker.long_files import RESULT, Request, Result, Told, beat_files
from worker.mapped import forget
from worker.pressure.combined import with_pressures
from worker.pressure.indication import noted_in
from worker.recording import Recording
from worker.resting import Patient, analyse
from worker.waveform import described

log = structlog.get_logger(__name__)

NICE: Final = 10
"""Behind everything else, yet not starved: half of the way to the lowest."""
ANALYSIS_UNTIL: Final = 0.8
WAVEFORM_UNTIL: Final = 0.95
"""Shares of the progress, by how long the parts take."""

Progress = Callable[[float, str], None]


def read_long(request: Request, progress: Progress) -> Result:
    """Decode, analyse and store one recording into the folder."""
    progress(0.0, "decode")
    try:
        recording = read(request.path)
    except UnreadableRecording as error:
        return Result(unreadable=str(error))
    result = Result(
        waveform=described(recording),
        identity=recording.identity.model_dump(mode="json", exclude_none=True),
        started_at=recording.started_at.isoformat() if recording.started_at else None,
    )
    try:
        _analyse(request, recording, result, progress)
    except Exception as error:  # an error of ours must not keep a trace from being read
        log.exception("analysis_failed", record=request.record_name)
        result.findings, result.said, result.measured = None, {}, None
        result.failure = f"the analysis failed ({type(error).__name__}); read the trace without it"
    progress(ANALYSIS_UNTIL, "store")
    try:
        _store(request, recording, result, progress)
    except WaveformError as error:
        return Result(unreadable=str(DamagedRecording(f"the recording cannot be kept as a waveform: {error}")))
    return result


def _analyse(request: Request, recording: Recording, result: Result, progress: Progress) -> None:
    patient = Patient(sex=request.sex, birth_date=request.birth_date)
    if recording.kind != "holter":
        result.findings = analyse(recording, patient, rule_set=request.rule_set)
        return
    result.findings, measured = analyse_day(
        recording,
        patient,
        rule_set=request.rule_set,
        progress=lambda share, stage: progress(share * ANALYSIS_UNTIL, stage),
    )
    result.findings = with_pressures(
        result.findings,
        recording,
        patient,
        guideline=request.pressure_guideline,
        noted=noted_in(request.indication),
    )
    result.measured = _keep(request, "measured.npz", to_bytes(measured))
    files = beat_files(measured.beats, measured.sampling_hz)
    result.said = {kind: _keep(request, f"machine.{kind}", content) for kind, content in files.items()}


def _keep(request: Request, name: str, content: bytes) -> str:
    (request.folder / name).write_bytes(content)
    return name


def _store(request: Request, recording: Recording, result: Result, progress: Progress) -> None:
    def written(share: float) -> None:
        forget(recording.digital)
        progress(ANALYSIS_UNTIL + share * (WAVEFORM_UNTIL - ANALYSIS_UNTIL), "store")

    paths = encode_to(
        request.folder,
        request.record_name,
        recording.leads,
        recording.digital,
        recording.sampling_hz,
        [float(scale) for scale in recording.uv_per_lsb],
        [float(zero) for zero in recording.baseline],
        recording.started_at,
        written,
    )
    result.files = {suffix: path.name for suffix, path in paths.items()}
    if recording.kind == "holter":
        pyramid.write(request.folder / "day.pyr", recording)
        result.pyramid = "day.pyr"


def _end_with_parent() -> None:
    """End as soon as the standard input does: then the worker that asked is gone, and another asks again."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


class _Teller:
    """Tells the worker how far it is, not more often than it can matter."""

    EVERY_S: Final = 0.25

    def __init__(self) -> None:
        self._stage, self._told = "", 0.0

    def __call__(self, share: float, stage: str) -> None:
        now = time.monotonic()
        if stage == self._stage and now - self._told < self.EVERY_S:
            return
        self._stage, self._told = stage, now
        print(Told(share=round(share, 4), stage=stage).model_dump_json(), flush=True)


def main() -> int:
    """Do what the first line of the standard input asks for."""
    with contextlib.suppress(OSError, AttributeError):  # a system without it runs it as it is
        os.nice(NICE)
    configure_logs()
    np.seterr(all="ignore")
    request = Request.model_validate_json(sys.stdin.readline())
    _end_with_parent()
    result = read_long(request, _Teller())
    (request.folder / RESULT).write_text(result.model_dump_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
