"""How is a decoded waveform kept, so that nothing is lost and ten seconds of a day are read at once?

As a WFDB record (https://wfdb.io): a text header and FLAC signal files, format 516 (16 bits) or 524 (24 bits). A FLAC
file carries at most eight channels, so twelve leads become two. Any WFDB reader opens it; the exact scale of each lead
stands in the header's comments too, because the header's own gain is a decimal number. A resting ECG is made and read
as bytes; a day's files are written block by block into a folder, and a stretch of them is read where they lie.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

MAX_CHANNELS_A_FILE: Final = 8
"""FLAC's limit (RFC 9639 section 9.1.3)."""
MAX_LEADS: Final = 64
FLAC_RATE: Final = 96_000
"""What WFDB writes into the FLAC stream; readers ignore it, the true rate stands in the header."""
HEADER: Final = ".hea"
READ_BLOCK: Final = 1 << 18
"""Frames at a time: libsndfile fails above 2**24 samples in one call (its issue 431); 16 MB for the most leads."""

_BITS: Final = {16: ("516", "PCM_16"), 24: ("524", "PCM_24")}
_NAME: Final = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
_SIGNAL_LINE: Final = re.compile(r"^(\S+) (516|524) (\S+)\((-?\d+)\)/uV (\d+) 0 (-?\d+) (-?\d+) 0 (.*)$")
_SCALE_LINE: Final = re.compile(r"^# lead (\d+) uv_per_lsb=(\S+) baseline=(\S+)$")
_RECORD_LINE: Final = re.compile(r"^(\S+) (\d+) (\S+) (\d+)(?: .*)?$")

Integers = NDArray[np.int16] | NDArray[np.int32]
Source = bytes | Path | BinaryIO
"""A stored file: its bytes, where it lies, or something open that can seek."""


class WaveformError(ValueError):
    """The waveform cannot be stored, or what is stored is damaged."""


@dataclass(frozen=True, eq=False)
class Waveform:
    """A stored recording, or a stretch of it.

    Attributes:
        samples: (n_leads, n_samples) integers; microvolts are ``(samples - baseline) * uv_per_lsb``.
        start_sample: where in the whole recording the stretch begins.
    """

    leads: tuple[str, ...]
    samples: Integers
    sampling_hz: float
    uv_per_lsb: tuple[float, ...]
    baseline: tuple[float, ...]
    total_samples: int
    start_sample: int = 0

    def microvolts(self) -> NDArray[np.float64]:
        """(n_leads, n_samples) float64 µV."""
        zero, scale = np.array(self.baseline)[:, None], np.array(self.uv_per_lsb)[:, None]
        uv: NDArray[np.float64] = (self.samples - zero) * scale
        return uv


def encode(
    record_name: str,
    leads: Sequence[str],
    samples: NDArray[np.signedinteger[Any]],
    sampling_hz: float,
    uv_per_lsb: Sequence[float],
    baseline: Sequence[float],
    started_at: datetime | None = None,
) -> dict[str, bytes]:
    """File suffix → content, e.g. ``{".hea": …, "_1.flac": …, "_2.flac": …}``; each file is ``record_name + suffix``.

    Raises:
        WaveformError: samples beyond 24 bits, or arguments that do not fit one another.
    """
    files: dict[str, bytes] = {}

    def keep(suffix: str, rows: NDArray[Any], bits: int) -> NDArray[np.int64]:
        out = BytesIO()
        sums = _flac(out, rows, bits, lambda _: None)
        files[suffix] = out.getvalue()
        return sums

    files[HEADER] = _encode(record_name, leads, samples, sampling_hz, uv_per_lsb, baseline, started_at, keep)
    return files


def encode_to(
    folder: Path,
    record_name: str,
    leads: Sequence[str],
    samples: NDArray[np.signedinteger[Any]],
    sampling_hz: float,
    uv_per_lsb: Sequence[float],
    baseline: Sequence[float],
    started_at: datetime | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Path]:
    """The files of :func:`encode` in a folder, by suffix; no more than a block of samples is held in memory.

    Args:
        samples: may be a view of a mapped file, in any order of its axes.
        progress: told now and then which share is done.

    Raises:
        WaveformError: as :func:`encode`.
    """
    paths: dict[str, Path] = {}
    n_files = -(-len(leads) // MAX_CHANNELS_A_FILE)

    def keep(suffix: str, rows: NDArray[Any], bits: int) -> NDArray[np.int64]:
        done = len(paths)
        paths[suffix] = folder / f"{record_name}{suffix}"
        with paths[suffix].open("wb") as out:
            return _flac(out, rows, bits, lambda share: progress((done + share) / n_files))

    header = _encode(record_name, leads, samples, sampling_hz, uv_per_lsb, baseline, started_at, keep)
    paths[HEADER] = folder / f"{record_name}{HEADER}"
    paths[HEADER].write_bytes(header)
    return paths


def _encode(
    record_name: str,
    leads: Sequence[str],
    samples: NDArray[np.signedinteger[Any]],
    sampling_hz: float,
    uv_per_lsb: Sequence[float],
    baseline: Sequence[float],
    started_at: datetime | None,
    keep: Callable[[str, NDArray[Any], int], NDArray[np.int64]],
) -> bytes:
    """Hand every signal file to ``keep`` (suffix, rows, bits), which gives the sum of each row; returns the header."""
    n_leads, n_samples = _check(record_name, leads, samples, sampling_hz, uv_per_lsb, baseline)
    bits = _bits_needed(samples)
    lines: list[str] = []
    for number, first in enumerate(range(0, n_leads, MAX_CHANNELS_A_FILE), start=1):
        rows = range(first, min(first + MAX_CHANNELS_A_FILE, n_leads))
        suffix = f"_{number}.flac"
        sums = keep(suffix, samples[rows.start : rows.stop], bits)
        lines += [
            _signal_line(
                record_name + suffix, bits, leads[row], int(samples[row, 0]), int(total), uv_per_lsb[row], baseline[row]
            )
            for row, total in zip(rows, sums, strict=True)
        ]
    return _header(record_name, lines, n_samples, sampling_hz, uv_per_lsb, baseline, started_at)


def _bits_needed(samples: NDArray[Any]) -> int:
    if samples.dtype == np.int16:
        return 16
    low, high = int(samples.min()), int(samples.max())
    if not (low >= -(1 << 23) and high < 1 << 23):
        raise WaveformError(f"samples from {low} to {high} need more than the 24 bits that FLAC keeps")
    return 16 if low >= -(1 << 15) and high < 1 << 15 else 24


def _check(
    record_name: str,
    leads: Sequence[str],
    samples: NDArray[Any],
    sampling_hz: float,
    uv_per_lsb: Sequence[float],
    baseline: Sequence[float],
) -> tuple[int, int]:
    if not _NAME.match(record_name):
        raise WaveformError(f"{record_name!r} is no WFDB record name: letters, digits, - and _ only")
    if samples.ndim != 2 or samples.dtype.kind != "i" or not 1 <= samples.shape[0] <= MAX_LEADS:
        raise WaveformError(
            f"samples of shape {samples.shape} and type {samples.dtype} are no (leads, samples) integers"
        )
    if samples.shape[1] == 0:
        raise WaveformError("a recording without a single sample is not stored")
    n_leads = samples.shape[0]
    if not len(leads) == len(uv_per_lsb) == len(baseline) == n_leads:
        raise WaveformError(f"{n_leads} leads of samples, {len(leads)} names, {len(uv_per_lsb)} scales")
    if not all(math.isfinite(scale) and scale for scale in uv_per_lsb) or not all(map(math.isfinite, baseline)):
        raise WaveformError("every scale is finite and not zero")
    if not sampling_hz > 0 or any("\n" in lead or "\r" in lead or not lead.strip() for lead in leads):
        raise WaveformError("the sampling rate is positive and lead names are one line")
    return n_leads, samples.shape[1]


def _flac(out: BinaryIO, samples: NDArray[Any], bits: int, progress: Callable[[float], None]) -> NDArray[np.int64]:
    """Write (n, n_samples) as one FLAC file; returns the sum of each row."""
    n_samples = samples.shape[1]
    sums = np.zeros(len(samples), np.int64)
    with soundfile.SoundFile(
        out, "w", samplerate=FLAC_RATE, channels=samples.shape[0], subtype=_BITS[bits][1], format="FLAC"
    ) as sound:
        for start in range(0, n_samples, READ_BLOCK):
            block = samples[:, start : start + READ_BLOCK]
            frames: Any = np.ascontiguousarray(block.T, dtype=np.int16 if bits == 16 else np.int32)
            sums += frames.sum(axis=0, dtype=np.int64)
            if bits == 24:
                frames = frames << 8  # libsndfile takes 24-bit samples in the upper bytes of 32
            sound.write(frames)
            progress(min(1.0, (start + READ_BLOCK) / n_samples))
    return sums


def _signal_line(file: str, bits: int, lead: str, first: int, total: int, scale: float, zero: float) -> str:
    checksum = (total + (1 << 15)) % (1 << 16) - (1 << 15)
    # format, gain in steps a µV (baseline) / unit, resolution, ADC zero, first value, checksum, block size, name
    return f"{file} {_BITS[bits][0]} {1 / scale!r}({round(zero)})/uV {bits} 0 {first} {checksum} 0 {lead}"


def _header(
    name: str,
    lines: list[str],
    n_samples: int,
    sampling_hz: float,
    uv_per_lsb: Sequence[float],
    baseline: Sequence[float],
    started_at: datetime | None,
) -> bytes:
    rate = int(sampling_hz) if float(sampling_hz).is_integer() else repr(float(sampling_hz))
    clock = f" {started_at:%H:%M:%S}.{started_at.microsecond // 1000:03d} {started_at:%d/%m/%Y}" if started_at else ""
    text = [f"{name} {len(lines)} {rate} {n_samples}{clock}", *lines]
    text += [
        f"# lead {row} uv_per_lsb={float(scale)!r} baseline={float(zero)!r}"
        for row, (scale, zero) in enumerate(zip(uv_per_lsb, baseline, strict=True))
    ]
    if started_at:
        text.append(f"# started_at {started_at.isoformat()}")
    return ("\n".join(text) + "\n").encode("utf-8")


def decode(files: Mapping[str, Source], start: int = 0, stop: int | None = None) -> Waveform:
    """The waveform in files that :func:`encode` made, from sample ``start`` up to but not including ``stop``.

    Reading a stretch decodes that stretch alone, of files that are given open or by their path reads it alone too: FLAC
    seeks.

    Raises:
        WaveformError: a file is missing or damaged.
    """
    try:
        header = _bytes_of(files[HEADER]).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        raise WaveformError("the stored waveform has no readable header") from None
    name, sampling_hz, total, signals, scales = _parse_header(header)
    first, last, _ = slice(start, stop).indices(total)
    length = max(0, last - first)
    rows: list[Any] = []
    by_file: dict[str, int] = {}
    for file, _ in signals:
        by_file[file] = by_file.get(file, 0) + 1
    for file, channels in by_file.items():
        suffix = file.removeprefix(name)
        if suffix not in files:
            raise WaveformError(f"the stored waveform's file {suffix} is missing")
        rows.append(_read_flac(files[suffix], channels, first, length))
    return Waveform(
        leads=tuple(lead for _, lead in signals),
        samples=np.concatenate(rows) if len(rows) > 1 else rows[0],
        sampling_hz=sampling_hz,
        uv_per_lsb=tuple(scale for scale, _ in scales),
        baseline=tuple(zero for _, zero in scales),
        total_samples=total,
        start_sample=first,
    )


def _parse_header(text: str) -> tuple[str, float, int, list[tuple[str, str]], list[tuple[float, float]]]:
    """(record name, rate, samples, [(file, lead)], [(µV a step, baseline)])."""
    record, *others = text.splitlines()
    match = _RECORD_LINE.match(record)
    if not match:
        raise WaveformError("the stored waveform's header is damaged")
    signals: list[tuple[str, str]] = []
    scales: list[tuple[float, float]] = []
    for line in others:
        if signal := _SIGNAL_LINE.match(line):
            signals.append((signal[1], signal[8]))
        elif scale := _SCALE_LINE.match(line):
            scales.append((float(scale[2]), float(scale[3])))
    if not signals or len(signals) != int(match[2]) or len(scales) != len(signals):
        raise WaveformError("the stored waveform's header is damaged: it lacks leads or scales")
    return match[1], float(match[3]), int(match[4]), signals, scales


def _bytes_of(source: Source) -> bytes:
    if isinstance(source, bytes):
        return source
    return source.read_bytes() if isinstance(source, Path) else source.read()


def _read_flac(source: Source, channels: int, start: int, length: int) -> Integers:
    try:
        with soundfile.SoundFile(BytesIO(source) if isinstance(source, bytes) else source) as sound:
            if sound.channels != channels:
                raise WaveformError(f"a stored signal file has {sound.channels} channels instead of {channels}")
            wide = sound.subtype == "PCM_24"
            frames = np.empty((length, channels), np.int32 if wide else np.int16)
            sound.seek(start)
            for at in range(0, length, READ_BLOCK):
                block = sound.read(out=frames[at : at + READ_BLOCK])
                if len(block) != len(frames[at : at + READ_BLOCK]):
                    raise WaveformError("a stored signal file is shorter than its header says")
    except soundfile.LibsndfileError as error:
        raise WaveformError(f"a stored signal file is damaged: {error}") from None
    if wide:
        frames >>= 8
    samples: Integers = np.ascontiguousarray(frames.T)
    return samples
