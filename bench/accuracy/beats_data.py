"""From what are the classes of beats learned? Measured beats of the databases, with their true classes.

Each record of MIT-BIH with both leads, with either alone, with electrode noise of ``nstdb`` and at another rate, and as
other electrodes would see it, with and without that noise; the beats of QTDB (most of them normal: other people's
normal beats are worth having) and of CPSC 2021 (fibrillation with its signal); the intervals of real atrial
fibrillation. What was measured is kept in a folder, by the state of the files that measure, so that it is cheap again.
"""

import hashlib
import pickle
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from bench.accuracy.beats import AAMI, day_of, matched
from bench.accuracy.data import Notes, headers, notes, recording
from bench.accuracy.noise import mix
from bench.accuracy.qrs import unscored
from bench.accuracy.score import LEARNING_S
from worker.holter.beat_rhythm import rhythm_of
from worker.holter.detect import find_beats
from worker.holter.features import BeatFeatures, beat_features
from worker.recording import Recording

Float32s = NDArray[np.float32]
Labels = NDArray[np.int64]

VARIANTS: Final = (
    ((0, 1), "clean", 1.0), ((0,), "clean", 0.6), ((1,), "clean", 0.3), ((0, 1), "noisy", 0.3), ((0,), "noisy", 0.2),
    ((0,), "128 Hz", 0.3), ((0,), "turned", 0.3), ((1,), "turned", 0.3), ((0,), "turned 1", 0.3),
    ((1,), "turned 1", 0.3), ((0,), "turned 2", 0.3), ((1,), "turned 2", 0.3), ((0,), "turned 3", 0.3),
    ((1,), "turned 3", 0.3), ((0,), "turned 1, noisy", 0.2), ((0,), "turned 2, noisy", 0.2),
    ((0,), "noisy again", 0.2), ((1,), "noisy again", 0.15),
)  # fmt: skip
"""Leads, how the record was changed, and how much it weighs."""
OTHER_VARIANTS: Final = (
    ((0, 1), "other", 0.4),
    ((0,), "other", 0.4),
    ((1,), "other lead", 0.2),
    ((0,), "other turned", 0.3),
)
SEVERAL_FROM: Final = ("clean", "noisy", "128 Hz", "other")
"""What the fit for several leads takes; that for one lead takes all of one lead: where a patch sits is not known."""
IN_ONE_LEAD: Final = {"other": 0.2}
"""What weighs otherwise there."""
OTHERS: Final = ("qtdb", "cpsc2021")
NOISE_DB: Final = (3.0, 6.0, 9.0, 12.0, 18.0)
SAME_PERSON: Final = {"201": {"201", "202"}, "202": {"201", "202"}}
AF_BEATS: Final = 900
TURNED: Final = (0.3, 1.3)
"""Angles between the leads by which they are turned."""
CACHE: Final = Path(tempfile.gettempdir()) / "ecg-center-beats"


@dataclass(frozen=True, eq=False)
class Part:
    """Beats of one record in some of its leads: measures, true classes (6 false detection, 7 not scored)."""

    record: str
    leads: tuple[int, ...]
    changed: str
    weight: float
    features: BeatFeatures
    truth: Labels
    missed: Labels
    start: int
    """The first beat from 5:00 on; ``missed_late`` are those missed from there on."""
    missed_late: Labels


def parts_of(folder: Path) -> list[Part]:
    """All variants of the records of a folder and, for the fit only, those of :data:`OTHERS` beside it."""
    parts = [part for header in headers(folder) for part in kept(header, _variants)]
    others = [header for name in OTHERS for header in headers(folder.parent / name)]
    return parts + [part for header in others for part in kept(header, _others)]


def kept(header: Path, measure: Callable[[Path], Any]) -> Any:
    """What ``measure`` says of a record, from the folder of what was measured before where nothing has changed."""
    CACHE.mkdir(exist_ok=True)
    digest = hashlib.sha256(_sources())
    for file in sorted(header.parent.glob(header.stem + ".*")):
        digest.update(f"{file}{file.stat().st_size}{file.stat().st_mtime}".encode())
    file = CACHE / f"{header.stem}{measure.__name__}-{digest.hexdigest()[:16]}.pickle"
    if file.exists():
        return pickle.loads(file.read_bytes())
    found = measure(header)
    file.write_bytes(pickle.dumps(found))
    return found


def _sources() -> bytes:
    """The files that measure."""
    root = Path(__file__).resolve().parents[2]
    names = ("features", "beat_rhythm", "snippets", "templates", "detect", "candidates", "units", "bands", "day",
             "af", "af_measures", "nearby", "gaps")  # fmt: skip
    files = [root / "worker" / "holter" / f"{name}.py" for name in names]
    return b"".join(file.read_bytes() for file in [*files, Path(__file__)])


def _variants(header: Path) -> list[Part]:
    found = notes(header, "atr")
    if found is None:
        return []
    clean = recording(header)
    changed = {
        "clean": clean, "noisy": _with_noise(clean, found, header), "128 Hz": _at_128_hz(clean),
        "turned": _turned(clean, header), "noisy again": _with_noise(clean, found, header, 3),
    }  # fmt: skip
    for draw in (1, 2, 3):
        turned = _turned(clean, header, draw)
        changed |= {f"turned {draw}": turned, f"turned {draw}, noisy": _with_noise(turned, found, header, draw)}
    parts = []
    for leads, name, weight in VARIANTS:
        whole = changed[name]
        if whole is not None:
            parts.append(_part(header.stem, whole, _moved(found, whole, clean), leads, name, weight))
    return parts


def _others(header: Path) -> list[Part]:
    found = notes(header, "atr")
    if found is None or not any(symbol in AAMI for symbol in found.symbol):
        return []
    whole = recording(header)
    name = header.stem.removeprefix("sel")  # sel114 is MIT-BIH's 114
    changed = {"other turned": _turned(whole, header)}
    return [_part(name, changed.get(how, whole), found, leads, how, weight) for leads, how, weight in OTHER_VARIANTS]


def _part(record: str, whole: Recording, found: Notes, leads: tuple[int, ...], name: str, weight: float) -> Part:
    day = day_of(whole, leads)
    beats = find_beats(day)
    truth, missed = matched(found, beats, whole.sampling_hz, unscored(found, whole.n_samples))
    features = beat_features(day, beats)
    start = round(LEARNING_S * whole.sampling_hz)
    late = Notes(found.at[found.at >= start], found.symbol[int(np.searchsorted(found.at, start)) :], [])
    _, missed_late = matched(late, beats[beats >= start], whole.sampling_hz, [])
    return Part(record, leads, name, weight, features, truth, missed, int((beats < start).sum()), missed_late)


def _moved(found: Notes, whole: Recording, clean: Recording) -> Notes:
    ratio = whole.sampling_hz / clean.sampling_hz
    return found if ratio == 1 else Notes(np.rint(found.at * ratio).astype(int), found.symbol, found.text)


def _at_128_hz(clean: Recording) -> Recording:
    """As recorders of long days sample."""
    mv = resample_poly(clean.microvolts() / 1000, 16, 45, axis=1)
    return _of(replace(clean, sampling_hz=128.0), mv)


def _with_noise(clean: Recording, found: Notes, header: Path, draw: int = 0) -> Recording | None:
    """The record with electrode motion, two minutes with and two without; None where there is no noise record."""
    file = header.parent.parent / "nstdb" / "em.hea"
    if not file.exists():
        return None
    random = np.random.default_rng(_seed(header, draw))
    wave = recording(file).microvolts() / 1000
    mv = clean.microvolts() / 1000
    for lead in range(len(mv)):
        noise = np.roll(wave[int(random.integers(len(wave)))], int(random.integers(wave.shape[1])))
        mv[lead], _ = mix(mv[lead], noise, found.beats, clean.sampling_hz, float(random.choice(NOISE_DB)))
    return _of(clean, mv)


def _turned(clean: Recording, header: Path, draw: int = 0) -> Recording:
    """What other electrodes would see: each lead a mixture of both, at an angle of the record's own."""
    random = np.random.default_rng(_seed(header, draw) + 1)
    mv = clean.microvolts() / 1000
    usual = np.array([np.percentile(np.abs(lead - np.median(lead)), 99) for lead in mv])[:, None]
    unit = mv / np.maximum(usual, 1e-3)
    angles = random.uniform(*TURNED, 2) * random.choice([-1, 1])
    angles[1] += np.pi / 2
    return _of(clean, np.stack([np.cos(at) * unit[0] + np.sin(at) * unit[1] for at in angles]) * usual.mean())


def _seed(header: Path, draw: int) -> int:
    return 1000 * draw + int("".join(filter(str.isdigit, header.stem)) or 0)


def _of(like: Recording, mv: NDArray[np.float64]) -> Recording:
    digital = np.rint(1000 * mv / like.uv_per_lsb[:, None] + like.baseline[:, None])
    return replace(like, digital=np.clip(digital, -32767, 32767).astype(np.int16))


def fibrillation(folder: Path) -> list[Float32s]:
    """Rhythm measures of beats in atrial fibrillation of each record, none of which is supraventricular."""
    return [found for header in headers(folder) if folder.is_dir() for found in [kept(header, _fibrillating)]]


def _fibrillating(header: Path) -> Float32s:
    import wfdb

    hz = wfdb.rdheader(str(header.with_suffix(""))).fs
    seconds = np.asarray(wfdb.rdann(str(header.with_suffix("")), "qrs").sample) / hz
    seconds = seconds[np.diff(seconds, prepend=-1.0) > 0.15]
    rhythm = notes(header, "atr")
    if rhythm is None:
        raise FileNotFoundError(f"{header.stem}.atr is missing: it says where the fibrillation is")
    starts = [*(rhythm.at / hz).tolist(), float(seconds[-1])]
    inside = np.zeros(len(seconds), bool)
    for start, stop, text in zip(starts[:-1], starts[1:], rhythm.text, strict=True):
        inside |= (text == "(AFIB") & (seconds > start + 15) & (seconds < stop - 15)
    chosen = np.flatnonzero(inside)
    chosen = np.random.default_rng(1).choice(chosen, min(AF_BEATS, len(chosen)), replace=False)
    return rhythm_of(seconds, np.ones(len(seconds), bool))[chosen]
