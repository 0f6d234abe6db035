"""How is a measured day kept, so that a physician's edit is answered without the signal?

An ``.npz`` file (a ZIP of ``.npy`` arrays, numpy's own format) that ``numpy.load`` opens anywhere without pickle: one
member a column, and ``about.npy`` with the rest as JSON in UTF-8. The samples of the beats are kept as steps, which
pack to two bytes a beat. Reading believes nothing: sizes, names, types and orders are checked before use.

The beats also go out as a WFDB annotation file (``.atr``), the form that every research tool reads.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.wfdb_annotations import AUX, RHYTHM, SKIP, SYMBOLS
from worker.holter.measured import Beats, Label, Measured, Minutes, Stretch, Template
from worker.recording import Annotation

VERSION: Final = 2
MAX_BYTES: Final = 256 * 2**20
MAX_UNPACKED_BYTES: Final = 1024 * 2**20
"""Two weeks of 12 leads unpack to about 150 MB; a file that asks for more than this is damaged or hostile."""
MAX_BEATS: Final = 15 * 24 * 3600 * 5
"""Two weeks and a day at 300 beats a minute."""
MAX_STRETCHES: Final = 1_000_000
MAX_MEMBERS: Final = 64
MAX_ABOUT_BYTES: Final = 64 * 2**20
_ABOUT: Final = "about"
_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""Every member's date, the ZIP format's first, so that the same day gives the same bytes."""

_COLUMNS: Final[dict[str, str]] = {
    "beats.step": "<i4",
    "beats.label": "|u1",
    "beats.confidence": "<f4",
    "beats.template": "<i4",
    "beats.qrs_ms": "<i2",
    "beats.p_wave": "<f4",
    "minutes.start_s": "<f8",
    "minutes.st_j_uv": "<i2",
    "minutes.st_uv": "<i2",
    "minutes.st_slope_uv_s": "<f4",
    "minutes.qt_ms": "<i2",
    "minutes.rr_ms": "<f4",
    "minutes.t_alternans_uv": "<f4",
    "minutes.qrs_uv": "<i2",
    "minutes.shape": "<i2",
    "templates.median_uv": "<i2",
}
_PER_LEAD: Final = ("minutes.st_j_uv", "minutes.st_uv", "minutes.st_slope_uv_s", "minutes.qrs_uv")
_OPTIONAL: Final = ("minutes.qrs_uv", "minutes.shape")
_STRETCHES: Final = ("unreadable", "lead_noise", "rhythms", "flutter", "blocks")
_SYMBOLS: Final = {Label.N: "N", Label.S: "S", Label.V: "V", Label.F: "F", Label.P: "/", Label.Q: "Q"}
_CODES: Final = {symbol: code for code, symbol in SYMBOLS.items()}
MAX_STEP: Final = 1023


class StoredError(Exception):
    """A kept day cannot be read: it is damaged, too large or of a later version; measure the recording again."""


def to_bytes(measured: Measured) -> bytes:
    """The file; the same day gives the same bytes."""
    beats, minutes = measured.beats, measured.minutes
    columns: dict[str, NDArray[Any]] = {
        "beats.step": np.diff(beats.sample, prepend=0),
        **{f"beats.{name}": getattr(beats, name) for name in ("label", "confidence", "template", "qrs_ms", "p_wave")},
        **{f"minutes.{name[8:]}": getattr(minutes, name[8:]) for name in _COLUMNS if name.startswith("minutes.")},
        "templates.median_uv": _joined([template.median_uv.ravel() for template in measured.templates]),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        text = json.dumps(_about(measured), ensure_ascii=False, separators=(",", ":")).encode()
        _put(archive, _ABOUT, np.frombuffer(text, "|u1"))
        for name, kind in _COLUMNS.items():
            _put(archive, name, np.ascontiguousarray(columns[name], kind))
    return out.getvalue()


def _joined(parts: list[NDArray[np.int16]]) -> NDArray[np.int16]:
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def _put(archive: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    info = zipfile.ZipInfo(f"{name}.npy", _DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as member:
        np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)


def _about(measured: Measured) -> dict[str, Any]:
    return {
        "version": VERSION,
        "leads": measured.leads,
        "sampling_hz": measured.sampling_hz,
        "n_samples": measured.n_samples,
        "started_at": measured.started_at.isoformat() if measured.started_at else None,
        "calibrated": measured.calibrated,
        "step_s": measured.minutes.step_s,
        "templates": [
            {"id": t.id, "label": t.label.name, "beats": t.beats, "hz": t.hz, "r_index": t.r_index}
            | {"n": int(t.median_uv.shape[1])}
            for t in measured.templates
        ],
        **{name: [[s.start, s.stop, s.leads, s.reason] for s in getattr(measured, name)] for name in _STRETCHES},
        "marks": [[mark.label, mark.start_s, mark.end_s] for mark in measured.marks],
        "warnings": measured.warnings,
    }


def from_bytes(data: bytes) -> Measured:
    """The day that :func:`to_bytes` wrote.

    Raises:
        StoredError: saying what is wrong.
    """
    if len(data) > MAX_BYTES:
        raise StoredError(f"a kept day of {len(data)} bytes; at most {MAX_BYTES}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_sizes(archive)
            about = json.loads(_take(archive, _ABOUT, "|u1", MAX_ABOUT_BYTES).tobytes())
            if about["version"] != VERSION:
                raise StoredError(f"a kept day of version {about['version']}; this worker reads version {VERSION}")
            columns = {name: _take(archive, name, kind, MAX_UNPACKED_BYTES) for name, kind in _COLUMNS.items()}
        return _measured(about, columns)
    except StoredError:
        raise
    except Exception as error:  # whatever is wrong in there, it is one thing to the caller: this is no kept day
        raise StoredError(f"no kept day, or a damaged one: {type(error).__name__}: {error}") from error


def _check_sizes(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
        raise StoredError(f"more than {MAX_MEMBERS} parts or {MAX_UNPACKED_BYTES} bytes unpacked")


def _take(archive: zipfile.ZipFile, name: str, kind: str, limit: int) -> NDArray[Any]:
    info = archive.getinfo(f"{name}.npy")
    if info.file_size > limit:
        raise StoredError(f"{name} unpacks to {info.file_size} bytes; at most {limit}")
    with archive.open(info) as member:
        array: NDArray[Any] = np.load(io.BytesIO(member.read(info.file_size)), allow_pickle=False)
    if array.dtype != np.dtype(kind):
        raise StoredError(f"{name} holds {array.dtype}, not {np.dtype(kind)}")
    return array


def _measured(about: Mapping[str, Any], columns: Mapping[str, NDArray[Any]]) -> Measured:
    leads = tuple(str(lead) for lead in about["leads"])
    n_samples, hz = int(about["n_samples"]), float(about["sampling_hz"])
    if n_samples < 0 or not 0 < hz < 1e6:
        raise StoredError(f"{n_samples} samples at {hz} Hz")
    unreadable, lead_noise, rhythms, flutter, blocks = (_stretches(about[name], n_samples) for name in _STRETCHES)
    return Measured(
        leads=leads,
        sampling_hz=hz,
        n_samples=n_samples,
        started_at=datetime.fromisoformat(about["started_at"]) if about["started_at"] else None,
        calibrated=bool(about["calibrated"]),
        beats=_beats(columns, n_samples),
        templates=_templates(about["templates"], columns["templates.median_uv"], len(leads)),
        minutes=_minutes(float(about["step_s"]), columns, len(leads)),
        unreadable=unreadable,
        lead_noise=lead_noise,
        rhythms=rhythms,
        flutter=flutter,
        blocks=blocks,
        marks=tuple(Annotation(str(label), float(start), end) for label, start, end in about["marks"]),
        warnings=tuple(str(text) for text in about["warnings"]),
    )


def _beats(columns: Mapping[str, NDArray[Any]], n_samples: int) -> Beats:
    steps = columns["beats.step"]
    if steps.ndim != 1 or len(steps) > MAX_BEATS:
        raise StoredError(f"beats of shape {steps.shape}; at most {MAX_BEATS}")
    sample = np.cumsum(steps, dtype=np.int64)
    label = columns["beats.label"]
    if len(sample) and (sample[0] < 0 or sample[-1] >= n_samples or (label > max(Label)).any()):
        raise StoredError("a beat lies outside of the recording, or has no class")
    rest = (columns[f"beats.{name}"] for name in ("confidence", "template", "qrs_ms", "p_wave"))
    return Beats(sample, label, *rest)


def _minutes(step_s: float, columns: Mapping[str, NDArray[Any]], n_leads: int) -> Minutes:
    n = len(columns["minutes.start_s"])
    names = [name for name in _COLUMNS if name.startswith("minutes.")]
    for name in names:
        shape = (n_leads, n) if name in _PER_LEAD else (n,)
        if columns[name].shape != shape and not (name in _OPTIONAL and not columns[name].size):
            raise StoredError(f"{name} has shape {columns[name].shape}, not {shape}")
    return Minutes(step_s, *(columns[name] for name in names))


def _templates(rows: Sequence[Mapping[str, Any]], flat: NDArray[np.int16], n_leads: int) -> tuple[Template, ...]:
    sizes = [int(row["n"]) * n_leads for row in rows]
    if flat.ndim != 1 or min(sizes, default=0) < 0 or sum(sizes) != len(flat):
        raise StoredError("the shapes of the beats do not fit their numbers")
    parts = np.split(flat, np.cumsum(sizes)[:-1]) if rows else []
    return tuple(
        Template(
            id=int(row["id"]),
            label=Label[row["label"]],
            beats=int(row["beats"]),
            median_uv=part.reshape(n_leads, -1) if n_leads else part.reshape(0, int(row["n"])),
            hz=float(row["hz"]),
            r_index=int(row["r_index"]),
        )
        for row, part in zip(rows, parts, strict=True)
    )


def _stretches(rows: Sequence[Sequence[Any]], n_samples: int) -> tuple[Stretch, ...]:
    if len(rows) > MAX_STRETCHES:
        raise StoredError(f"{len(rows)} stretches; at most {MAX_STRETCHES}")
    found = tuple(Stretch(int(start), int(stop), tuple(leads), str(reason)) for start, stop, leads, reason in rows)
    if any(not 0 <= stretch.start <= stretch.stop <= n_samples for stretch in found):
        raise StoredError("a stretch lies outside of the recording")
    return found


def as_atr(beats: Beats, rhythms: Sequence[tuple[int, str]] = ()) -> bytes:
    """The beats as a WFDB annotation file in MIT format (annot(5)), with these rhythm changes.

    Args:
        beats: classes become ``N S V F / Q``.
        rhythms: (sample, name) such as ``(81250, "(AFIB")``, of which each stands until the next one.
    """
    count = len(rhythms)
    at = np.concatenate([np.array([start for start, _ in rhythms], np.int64), beats.sample])
    codes = np.array([_CODES[_SYMBOLS[label]] for label in Label], np.uint16)
    kind = np.concatenate([np.full(count, RHYTHM, np.uint16), codes[beats.label]])
    texts = [name.encode()[:255] for _, name in rhythms]
    words = np.concatenate([[1 + (len(text) + 1) // 2 for text in texts], np.zeros(len(beats))]).astype(np.int64)
    order = np.argsort(at, kind="stable")
    at, kind, words = at[order], kind[order], words[order]
    step = np.diff(at, prepend=0)
    far = step > MAX_STEP
    begin = np.concatenate([[0], np.cumsum(1 + 3 * far + words)])
    out = np.zeros(int(begin[-1]) + 1, "<u2")  # the last word, zero, ends the file
    jump = begin[:-1][far]
    out[jump], out[jump + 1], out[jump + 2] = SKIP << 10, step[far] >> 16, step[far] & 0xFFFF
    place = begin[:-1] + 3 * far
    out[place] = kind << 10 | np.where(far, 0, step).astype(np.uint16)
    for row in np.flatnonzero(words).tolist():
        text, first = texts[int(order[row])], int(place[row]) + 1
        out[first] = AUX << 10 | len(text)
        padded = text + b"\0" * (len(text) % 2)
        out[first + 1 : first + 1 + len(padded) // 2] = np.frombuffer(padded, "<u2")
    return out.tobytes()
