"""What do the worker and the process that reads a long recording say to each other, and which files are left?"""

import hashlib
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from ecg_center.contract.findings import Findings
from ecg_center.store import beats as beats_file
from worker.holter.measured import Beats
from worker.holter.stored import as_atr

RESULT: Final = "result.json"


class Request(BaseModel):
    """What is to be read, and where to."""

    path: Path
    folder: Path
    record_name: str
    sex: str | None = None
    birth_date: str | None = None
    rule_set: str
    pressure_guideline: str = "china_2020"
    indication: str = ""
    """The order's words: a combined recorder's pressures are compared with the one in the consulting room."""


class Result(BaseModel):
    """What came out; file names are those in the folder."""

    unreadable: str = ""
    """Why the bytes cannot be read; then nothing else is set."""
    waveform: dict[str, Any] = {}
    files: dict[str, str] = {}
    """The WFDB record, by suffix."""
    pyramid: str | None = None
    measured: str | None = None
    identity: dict[str, Any] = {}
    started_at: str | None = None
    findings: Findings | None = None
    said: dict[str, str] = {}
    """The files that belong to the findings, by what they are."""
    failure: str = ""


class Told(BaseModel):
    """How far it is: one line of its standard output."""

    share: float
    stage: str
    """A key of ``ecg_center.web.words.STAGES``."""


def beat_files(beats: Beats, sampling_hz: float) -> dict[str, bytes]:
    """The beats as the reading desk asks for them, and as other programs read them."""
    columns = (beats.sample, beats.label, beats.template, beats.confidence)
    return {"beats": beats_file.pack(sampling_hz, *columns), "atr": as_atr(beats)}


def edition_of(folder: Path, names: list[str]) -> str:
    """Twelve digits that stand for the content of these files: what is stored is named by them, never overwritten."""
    digest = hashlib.sha256()
    for name in names:
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]
