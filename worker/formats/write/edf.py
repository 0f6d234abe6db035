"""EDF+ and BDF+ by edfio (Kemp & Olivan 2003, sections 2.1 and 2.2).

16-bit samples become EDF+, wider ones BDF+. The header has eight characters for each end of a range: a range is chosen
whose ends they hold exactly, so that a step is read back as it was; where there is none, to six digits. A recording
that does not fill its last data record is filled up with its last sample and ends with the annotation "Recording ends",
at which our reader cuts. EDF+ headers are ASCII: a name in other characters becomes an annotation.
"""

import datetime
import io
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import edfio
import numpy as np

from worker.formats.write.common import Held, ascii_word, file_name, held, in_china
from worker.formats.write.errors import UnwritableRecording
from worker.recording import Annotation, Recording

NAME: Final = "edf"
ENDS: Final = "Recording ends"
NAME_MARK: Final = "Patient name: "
FIELD: Final = 8
MAX_RECORD_SAMPLES: Final = 30_720
"""Half of the 61 440 bytes that the specification recommends for a record at the most, in samples of 16 bits."""
EDF_RANGE: Final = (-(2**15), 2**15 - 1)
BDF_RANGE: Final = (-(2**23), 2**23 - 1)
FIRST_YEAR: Final = 1985
LAST_YEAR: Final = 2084


def write(recording: Recording, name: str) -> dict[str, bytes]:
    """The recording as EDF+ or BDF+, by file name.

    Raises:
        UnwritableRecording: samples of more than 24 bits.
    """
    kept = held(recording)
    low, high = int(kept.digital.min()), int(kept.digital.max())
    wide = low < EDF_RANGE[0] or high > EDF_RANGE[1]
    limits = BDF_RANGE if wide else EDF_RANGE
    if low < limits[0] or high > limits[1]:
        raise UnwritableRecording("samples of more than 24 bits do not fit BDF+")
    rate = Fraction(recording.sampling_hz).limit_denominator(1_000_000)
    per_record, seconds = _record(rate, recording.n_samples)
    padding = -recording.n_samples % per_record
    signal_class: Any = edfio.BdfSignal if wide else edfio.EdfSignal
    signals = [
        _signal(signal_class, kept, row, recording, padding, limits, float(rate)) for row in range(len(kept.leads))
    ]
    start = in_china(recording.started_at)  # the header has no place for a zone
    dated = start is not None and FIRST_YEAR <= start.year <= LAST_YEAR
    made: Any = (edfio.Bdf if wide else edfio.Edf)(
        signals,
        patient=_patient(recording),
        recording=_recording(recording, start.date() if start and dated else None),
        starttime=start.time().replace(tzinfo=None) if start and dated else None,
        data_record_duration=seconds,
        annotations=[edfio.EdfAnnotation(*mark) for mark in _marks(recording, padding)],
    )
    out = io.BytesIO()
    made.write(out)
    return {f"{file_name(name)}.{'bdf' if wide else 'edf'}": out.getvalue()}


def _record(rate: Fraction, n_samples: int) -> tuple[int, float]:
    """(samples, seconds) of a data record: a whole number of both, near a second, without padding if it can be."""
    unit = rate.numerator
    if unit > n_samples or unit > MAX_RECORD_SAMPLES:
        seconds = Fraction(n_samples) / rate
        if n_samples <= MAX_RECORD_SAMPLES and _fits(seconds):
            return n_samples, float(seconds)
    count = next((count for count in range(unit, 0, -1) if n_samples % count == 0 and _fits(Fraction(count) / rate)), 1)
    chosen = count if count * 8 >= unit else unit
    return chosen, float(Fraction(chosen) / rate)


def _fits(seconds: Fraction) -> bool:
    """Whether eight characters hold this duration exactly."""
    text = repr(float(seconds)).removesuffix(".0")
    return len(text) <= FIELD and Fraction(text) == seconds


def _signal(
    signal_class: Any, kept: Held, row: int, recording: Recording, padding: int, limits: tuple[int, int], rate: float
) -> Any:
    digital = kept.digital[row]
    if padding:
        digital = np.concatenate([digital, np.full(padding, digital[-1], digital.dtype)])
    uv, zero = float(kept.uv_per_lsb[row]), int(kept.baseline[row])
    ends, physical = _range(uv, zero, int(digital.min()), int(digital.max()), limits)
    filters = recording.filters
    words = (("HP", filters.highpass_hz), ("LP", filters.lowpass_hz), ("N", filters.notch_hz))
    return signal_class.from_digital(
        np.ascontiguousarray(digital, np.int32 if limits is BDF_RANGE else np.int16),
        rate,
        label=_label(kept.leads[row]) or f"ECG channel {row + 1}"[:16],
        physical_dimension="uV" if recording.calibrated else "",
        physical_range=physical,
        digital_range=ends,
        prefiltering=" ".join(f"{word}:{value:g}Hz" for word, value in words if value),
    )


def _label(lead: str) -> str:
    """Type and lead (EDF+ section 2.1.3.1, standard texts); empty where ASCII cannot hold it."""
    return ascii_word(lead if lead.upper().startswith(("ECG", "EKG")) else f"ECG {lead}", 16)


@lru_cache(maxsize=256)
def _range(
    uv: float, zero: int, low: int, high: int, limits: tuple[int, int]
) -> tuple[tuple[int, int], tuple[float, float]]:
    """(digital range, physical range) whose ends have eight characters and give back the step."""
    step = Decimal(repr(uv))
    bottom, top = _end(step, zero, low, limits[0]), _end(step, zero, high, limits[1])
    if bottom is None or top is None or bottom == top:
        digital = (min(low, -1), max(high, 1))
        return digital, (_short((digital[0] - zero) * uv), _short((digital[1] - zero) * uv))
    return (bottom, top), (float((bottom - zero) * step), float((top - zero) * step))


def _end(step: Decimal, zero: int, needed: int, limit: int) -> int | None:
    """The digital value nearest the limit, not inside what is needed, whose physical value has eight characters."""
    direction = 1 if limit < needed else -1
    span = range(limit, needed + direction, direction)
    tries = (*span[:4096], *span[-4096:]) if len(span) > 8192 else span
    return next((value for value in tries if len(_text((value - zero) * step)) <= FIELD), None)


def _text(value: Decimal) -> str:
    """As edfio writes it."""
    number = float(value)
    return str(int(number)) if number.is_integer() else str(number)


def _short(value: float) -> float:
    for digits in range(8, 0, -1):
        candidate = float(f"{value:.{digits}g}")
        if len(_text(Decimal(repr(candidate)))) <= FIELD:
            return candidate
    raise UnwritableRecording(f"{value:g} µV do not fit a header of EDF+")


def _patient(recording: Recording) -> Any:
    who = recording.identity
    born = datetime.date.fromisoformat(who.birth_date) if who.birth_date else None
    return edfio.Patient(
        code=_subfield(who.patient_id, 30),
        sex=who.sex if who.sex in ("M", "F") else "X",
        birthdate=born,
        name=_subfield(who.patient_name, 30),
    )


def _recording(recording: Recording, date: datetime.date | None) -> Any:
    device = recording.device
    return edfio.Recording(
        startdate=date,
        investigator_technician_code=_subfield(device.technician, 20),
        equipment_code=_subfield(" ".join(filter(None, (device.manufacturer, device.model))), 30),
    )


def _subfield(text: str | None, longest: int) -> str:
    """A subfield has no blanks; what is unknown or no ASCII is X."""
    return ascii_word((text or "").replace(" ", "_"), longest) or "X"


def _marks(recording: Recording, padding: int) -> list[tuple[float, float | None, str]]:
    marks = [_mark(mark) for mark in recording.annotations if mark.label and mark.start_s >= 0]
    name = recording.identity.patient_name
    if name and not name.isascii():
        marks.append((0.0, None, NAME_MARK + name))
    if padding:
        marks.append((recording.duration_s, None, ENDS))
    return marks


def _mark(mark: Annotation) -> tuple[float, float | None, str]:
    length = None if mark.end_s is None or mark.end_s < mark.start_s else mark.end_s - mark.start_s
    return mark.start_s, length, "".join(sign for sign in mark.label if sign >= " ")
