"""Philips Sierra XML: which waveform is the recording, how is it packed? (SierraECG 1.03, PhilipsECG 1.04 to 1.04.02)

Follows the element documentation in Philips' schemas ``SierraECGSchema_1_03.xsd`` and ``_1_04_01.xsd``:
``dataacquisition``, ``parsedwaveforms`` (whole leads one after another; Base64, Plain or Hex; XLI-compressed, in
:mod:`worker.formats.philips_xli`, or not), ``leadwaveforms``, ``repbeats``, ``interpretations``. ``signaloffset`` is
subtracted from each sample. What the file only refers to (``unparsedwaveforms``) is never fetched.
"""

import base64
import binascii
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.formats import fields as f
from worker.formats import philips_xli as xli
from worker.formats import xml_reader
from worker.formats.errors import (
    DamagedRecording,
    NoWaveform,
    TruncatedRecording,
    UnreadableRecording,
    UnsupportedRecording,
)
from worker.formats.philips_words import device, identity, marks, measurements, started_at, statements
from worker.formats.rows import Block, Row, assemble, checked_rate
from worker.formats.text_numbers import integers
from worker.formats.xml_reader import Element, as_number
from worker.leads import TWELVE, standard_name
from worker.recording import MAX_LEADS, Filters, Gap, MedianBeat, Recording

NAME: Final = "philips"
VERSIONS: Final = ("1.03", "1.04", "1.04.01", "1.04.02")
DEFAULT_STEP_UV: Final = 5.0
"""Of every cardiograph that the schema of 1.03 names; used, with a warning, where the file does not say."""
MIN_CALIBRATION_SAMPLES: Final = 20

_PREDICTED: Final = ("I", "II", "III", "aVR", "aVL", "aVF")
_NOTHING: Final = Element("", {})
Integers = NDArray[np.int32] | NDArray[np.int64] | NDArray[np.int16]


def recognises(data: bytes) -> bool:
    """Whether the root element is Philips' ``restingecgdata``."""
    return xml_reader.root_name(data)[0] == "restingecgdata"


def read(data: bytes) -> Recording:
    """The recording of one Sierra XML file.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    document = xml_reader.parse(data)
    root, warnings = document.root, document.warnings
    version = root.word("documentinfo", "documentversion")
    if version not in VERSIONS:
        warnings.append(f"Sierra XML of version {version[:16]!r} is not known; read as 1.04")
    waveforms = root.find("waveforms") or root.first("waveforms") or _NOTHING
    signal = root.find("dataacquisition", "signalcharacteristics") or _NOTHING
    parsed = waveforms.find("parsedwaveforms") or waveforms.find("leadwaveforms")
    if parsed is None:
        raise _no_waveform(waveforms)
    rate = checked_rate(as_number(parsed.get("samplespersecond")) or signal.number("samplingrate"))
    reader = _leadwaveforms if parsed.tag == "leadwaveforms" else _parsedwaveforms
    block = assemble(reader(parsed, signal, root, rate, warnings), warnings)
    gaps = (*block.gaps, *_calibration(block, warnings))
    begins, beat = started_at(root), _beat_beside(waveforms, rate, warnings)
    recording = Recording(
        format=NAME,
        kind="resting",
        leads=block.leads,
        digital=block.digital,
        uv_per_lsb=block.uv_per_lsb,
        baseline=block.baseline,
        sampling_hz=rate,
        started_at=begins,
        identity=identity(root, begins),
        device=device(root),
        filters=_filters(parsed, signal),
        gaps=gaps,
        annotations=marks(root),
        median_beat=beat,
        device_measurements=measurements(root),
        device_statements=statements(root),
        warnings=tuple(warnings),
    )
    return recording.with_derived_leads()


def _no_waveform(waveforms: Element) -> NoWaveform:
    elsewhere = waveforms.find("unparsedwaveforms")
    if elsewhere is not None:
        return NoWaveform("the Sierra XML refers to a waveform in another file; export it with waveforms included")
    return NoWaveform("the Sierra XML holds no waveform; export it again with waveforms included")


def _attribute(parsed: Element, name: str, signal: Element, *older: str) -> str:
    """The waveform's own attribute (1.04), else the words of the signal characteristics (1.03)."""
    return parsed.get(name) or next(filter(None, (signal.word(tag) for tag in older)), "")


def _scale(parsed: Element, signal: Element, warnings: list[str]) -> tuple[float, float]:
    """(µV of one step, digital value of 0 µV)."""
    step = as_number(_attribute(parsed, "resolution", signal, "resolution", "signalresolution"))
    if step is None:
        warnings.append(f"the file does not say how large a step is; {DEFAULT_STEP_UV:g} µV assumed, as Philips writes")
        step = DEFAULT_STEP_UV
    return step, as_number(_attribute(parsed, "signaloffset", signal, "signaloffset")) or 0.0


def _bytes(text: str, encoding: str) -> bytes:
    packed = "".join(text.split())
    try:
        if encoding == "Hex":
            return bytes.fromhex(packed)
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise DamagedRecording(f"the {encoding} text of the samples is damaged; export the recording again") from None


def _compression(parsed: Element) -> str:
    """The method; empty where the samples are not compressed. A flag that says no is believed before a method."""
    method = parsed.get("compression") or parsed.get("compressmethod")
    if parsed.get("compressflag").lower() == "false" or method.lower() in ("", "none", "uncompressed"):
        return ""
    return method.upper()


def _parsedwaveforms(parsed: Element, signal: Element, root: Element, rate: float, warnings: list[str]) -> list[Row]:
    labels = _labels(parsed, signal, root)
    step, offset = _scale(parsed, signal, warnings)
    compression = _compression(parsed)
    encoding = parsed.get("dataencoding") or "Base64"
    if compression:
        if compression != "XLI" or encoding == "Plain":
            raise UnsupportedRecording(f"the samples are compressed with {compression[:32]!r}, which is not read here")
        leads = _compressed(_bytes(parsed.text, encoding), labels)
    else:
        leads = _uncompressed(parsed, signal, labels, rate, warnings)
    return [Row(lead, samples.astype(np.int32), step, offset) for lead, samples in leads.items()]


def _compressed(data: bytes, labels: list[str]) -> dict[str, Integers]:
    chunks = xli.unpack(data, len(labels))
    if len(chunks) < len(labels):
        raise TruncatedRecording(f"the file names {len(labels)} leads and holds {len(chunks)}; send it again")
    leads: dict[str, Integers] = dict(zip(labels, chunks, strict=True))
    if all(name in leads for name in _PREDICTED):
        n = min(leads[name].size for name in _PREDICTED)
        limb = {name: leads[name][:n].astype(np.int64) for name in _PREDICTED}
        xli.restore_limb_leads(limb)
        leads |= limb
    return leads


def _uncompressed(
    parsed: Element, signal: Element, labels: list[str], rate: float, warnings: list[str]
) -> dict[str, Integers]:
    """All samples of the first lead, then all of the second, and so on."""
    values = _values(parsed.text, parsed, signal)
    claimed = as_number(parsed.get("durationperchannel"))
    each = values.size // len(labels)
    if claimed is not None and 0 < round(claimed * rate / 1000) <= each:
        each = round(claimed * rate / 1000)
    elif claimed is not None:
        warnings.append(f"the file claims {claimed:g} ms of each lead and holds {each * 1000 / rate:g} ms")
    return {lead: values[row * each : (row + 1) * each] for row, lead in enumerate(labels)}


def _values(text: str, parsed: Element, signal: Element) -> Integers:
    encoding = parsed.get("dataencoding") or "Base64"
    if encoding == "Plain":
        return integers(text, "the recording")
    if encoding not in ("Base64", "Hex"):
        raise UnsupportedRecording(f"samples encoded as {encoding[:32]!r} are not defined for Sierra XML")
    bits = _attribute(parsed, "bitspersample", signal, "bitspersample") or parsed.get("nbitspersample") or "16"
    unsigned = _attribute(parsed, "signalsigned", signal, "signalsigned").lower() == "false"
    kind = {("16", False): "<i2", ("16", True): "<u2", ("32", False): "<i4"}.get((bits, unsigned))
    if kind is None:
        raise UnsupportedRecording(f"{'unsigned ' if unsigned else ''}samples of {bits[:8]} bits are not read here")
    raw = _bytes(text, encoding)
    samples: Integers = np.frombuffer(raw, kind, len(raw) // int(kind[2])).astype(np.int32)
    return samples


def _leadwaveforms(parsed: Element, signal: Element, root: Element, rate: float, warnings: list[str]) -> list[Row]:
    if compression := _compression(parsed):
        raise UnsupportedRecording(f"single leads compressed with {compression[:32]!r} are not read here")
    step, offset = _scale(parsed, signal, warnings)
    rows = []
    for lead in parsed.all("leadwaveform")[: 2 * MAX_LEADS]:
        starts = as_number(lead.get("starttime")) or 0.0
        samples = _values(lead.text, parsed, signal).astype(np.int32)
        rows.append(Row(standard_name(lead.get("leadname")), samples, step, offset, _place(starts, rate)))
    return rows


def _place(starts_ms: float, rate: float) -> int:
    return round(starts_ms * rate / 1000) if 0 <= starts_ms < 1e9 else 0


def _labels(parsed: Element, signal: Element, root: Element) -> list[str]:
    """The leads in the order of their samples."""
    claimed = as_number(parsed.get("numberofleads")) or signal.number("numberchannelsvalid")
    n = int(claimed or signal.number("numberchannelsallocated") or 0)
    if not 0 < n <= MAX_LEADS:
        raise DamagedRecording(f"a recording of {n} leads is none; the file contradicts itself")
    labels = parsed.get("leadlabels").split()
    if len(labels) < n:
        printed = root.word("reportinfo", "reportformat", "waveformformat", "mainwaveformformat").split()
        known = list(TWELVE) if n <= len(TWELVE) else printed
        labels += (known + [f"channel {place + 1}" for place in range(len(known), n)])[len(labels) :]
    unique: dict[str, None] = {}
    for place, label in enumerate(labels[:n]):
        name = standard_name(label)
        unique[name if name not in unique else f"channel {place + 1}"] = None
    return list(unique)


def _calibration(block: Block, warnings: list[str]) -> list[Gap]:
    """The calibration pulse that a cardiograph appends to all leads is no ECG: a gap.

    It is the end of the recording where every lead holds the same sample, which is 0 or the height of the pulse.
    """
    if len(block.leads) < 8:
        return []
    same = (block.digital == block.digital[0]).all(axis=0)
    start = int(np.flatnonzero(~same)[-1]) + 1 if not same.all() else 0
    end = block.digital[0, start:]
    heights = np.unique(end)
    if start == 0 or end.size < MIN_CALIBRATION_SAMPLES or heights.size != 2 or heights[0] != 0:
        return []
    if np.count_nonzero(end) < MIN_CALIBRATION_SAMPLES:
        return []
    warnings.append("the device appended a calibration pulse to the leads; it is marked as a gap")
    return [Gap(start, block.digital.shape[1], block.leads)]


def _median_beat(waveforms: Element, rate: float, warnings: list[str]) -> MedianBeat | None:
    """The representative beats; 1.03 holds their samples in ``repbeat`` itself, 1.04 in a ``waveform`` below."""
    beats = waveforms.find("repbeats") or _NOTHING
    rows: list[Row] = []
    step = as_number(beats.get("resolution"))
    beat_rate = as_number(beats.get("samplespersec"))
    for beat in beats.all("repbeat")[:MAX_LEADS]:
        holder = beat.find("waveform") or beat
        if not holder.text.strip():
            continue
        if step is None or beats.get("compression"):
            warnings.append("the representative beats are compressed or without a scale and were left out")
            return None
        samples = _values(holder.text, beats, _NOTHING).astype(np.int32)
        lasts = as_number(holder.get("duration"))
        if beat_rate is None and lasts:
            beat_rate = samples.size * 1000 / lasts
        rows.append(Row(standard_name(beat.get("leadname")), samples, step))
    return assemble(rows, []).median_beat(beat_rate or rate) if rows else None


def _beat_beside(waveforms: Element, rate: float, warnings: list[str]) -> MedianBeat | None:
    """The representative beats; damaged ones are left out, as the recording beside them is sound."""
    try:
        return _median_beat(waveforms, rate, warnings)
    except UnreadableRecording as error:
        warnings.append(f"the representative beats were left out: {error}")
        return None


def _filters(parsed: Element, signal: Element) -> Filters:
    low, _, high = signal.word("signalbandwidth").partition("-")
    highpass = as_number(_attribute(parsed, "hipass", signal, "hipass") or low)
    lowpass = as_number(_attribute(parsed, "lowpass", signal, "lowpass") or high)
    notch = None
    if _attribute(parsed, "notchfiltered", signal, "notchfiltered").lower() == "true":
        frequencies = _attribute(parsed, "notchfilterfreqs", signal, "notchfilterfreqs").split()
        notch = as_number(frequencies[0]) if frequencies else signal.number("acsetting")
    return Filters(f.positive(highpass), f.positive(lowpass), f.positive(notch))
