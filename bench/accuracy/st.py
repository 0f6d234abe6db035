"""Episodes of ST change made on real recordings: are they found, and nothing else?

Each lead of each record is shifted between J and the end of T by an amount that rises, stays and falls as ischaemia
does: 0.13 to 0.30 mV up or down for 1 to 20 minutes, several times a record with rest between, as often as not in one
lead alone. The beats are the record's own with their own noise, found and named by the engine itself; where ``nstdb``
lies beside the folder, electrode motion is added as well. Truth is the rule of the long-term ST database at 100 µV and
30 s; the records as they are show what is called without cause. Matching as in EC57 4.5: an episode is found where a
detection overlaps it.
"""

import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.data import headers, notes, recording
from bench.accuracy.score import Counts, Table
from worker.holter.measure import measure
from worker.holter.readable import Spans
from worker.holter.st import StRule, st_episodes
from worker.recording import Recording

NEEDS: Final = "beat annotations (.atr)"
EDGE_MV: Final = 0.05
LEVEL_MV: Final = 0.10
BEYOND_S: Final = 30.0
NOISE_MV: Final = 0.10
"""RMS of the electrode motion that is added."""
GRID_S: Final = 1.0
DRAWS: Final = range(3)
"""How often each record is given other episodes: one draw has 70, of which each is 1.4 %."""
FRESH: Final = range(11, 15)
"""Draws by which no limit was chosen, of the same records."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Made:
    """One record with its episodes."""

    recording: Recording
    shift_mv: Floats
    """(n_leads, seconds) by how much ST is moved."""


def envelope(rng: np.random.Generator, seconds: int) -> Floats:
    """(seconds,) mV: rests of 3 to 6 minutes with episodes between them."""
    shift = np.zeros(seconds)
    at = int(rng.uniform(180, 360))
    while at < seconds - 120:
        length = int(np.exp(rng.uniform(np.log(60), np.log(1200))))
        ramp = max(10, int(length * rng.uniform(0.1, 0.3)))
        height = rng.choice([-1, 1]) * rng.uniform(0.13, 0.30)
        whole = length + ramp  # half of each ramp lies outside
        if at + whole + 120 > seconds:
            break
        times = np.arange(whole)
        edge = np.clip(np.minimum(times, whole - 1 - times) / ramp, 0, 1)
        shift[at : at + whole] = height * 0.5 * (1 - np.cos(np.pi * edge))
        at += whole + int(rng.uniform(180, 360))
    return shift


def made(header: Path, beats: NDArray[np.int_], noise: Floats | None, draw: int, *, with_episodes: bool) -> Made:
    """The record with its ST moved and, where given, with electrode motion."""
    whole = recording(header)
    rng = np.random.default_rng(zlib.crc32(f"{header.stem}{draw or ''}".encode()))
    seconds = int(whole.duration_s)
    first = envelope(rng, seconds)
    alone = rng.random() < 0.5
    rows = [first] + [np.zeros(seconds) if alone else first * rng.uniform(0.7, 1.3) for _ in whole.leads[1:]]
    shift = np.stack(rows)[rng.permutation(len(rows))] if with_episodes else np.zeros((len(rows), seconds))
    uv = whole.microvolts()
    if noise is not None:
        turned = [np.roll(noise, 12_345 * row + 77_777 * draw) for row in range(len(uv))]
        uv = uv + 1000 * np.stack([np.resize(row, uv.shape[1]) for row in turned])
    uv += 1000 * _moved(shift, beats, whole.sampling_hz, uv.shape[1])
    digital = np.clip(np.rint(uv), -32767, 32767).astype(np.int16)
    n = len(whole.leads)
    return Made(
        replace(
            whole, kind="holter", digital=digital, uv_per_lsb=np.ones(n), baseline=np.zeros(n), derived=frozenset()
        ),
        shift,
    )


def _moved(shift: Floats, beats: NDArray[np.int_], hz: float, n: int) -> Floats:
    """(n_leads, n) mV to be added: from J on with soft edges until the end of T."""
    added = np.zeros((len(shift), n))
    rr = np.diff(beats, append=beats[-1:] + round(0.8 * hz)) / hz
    for at, interval in zip(beats.tolist(), rr.tolist(), strict=True):
        j = 0.055
        end = min(0.40 * np.sqrt(max(interval, 0.3)), interval - 0.15)
        length = round((end - j) * hz)
        begin = at + round(j * hz)
        if length < round(0.12 * hz) or begin + length >= n:
            continue
        times = np.arange(length) / hz
        rise = np.clip(times / 0.03, 0, 1)
        fall = np.clip((times[-1] - times) / max(0.08, times[-1] - 0.14), 0, 1)
        shape = 0.25 * (1 - np.cos(np.pi * rise)) * (1 - np.cos(np.pi * fall))
        second = min(shift.shape[1] - 1, int(at / hz))
        added[:, begin : begin + length] += shift[:, second, None] * shape
    return added


def truth(shift_mv: Floats) -> list[tuple[float, float, int]]:
    """(start, end, sign) of the episodes in one lead, by the rule."""
    found = []
    for sign in (1, -1):
        for start, end in Spans.of((s, s + 1.0) for s in np.flatnonzero(sign * shift_mv >= EDGE_MV).tolist()).pairs():
            beyond = sign * shift_mv[int(start) : int(end)] >= LEVEL_MV
            if beyond.sum() * GRID_S >= BEYOND_S:
                found.append((start, end, sign))
    return sorted(found)


def run(folder: Path, options: Any) -> list[Table]:
    """Tables: as they are and with electrode motion, of both kinds of draws, and with nothing made."""
    noise = _noise(folder.parent / "nstdb")
    kinds = [("own noise", "", None)] + ([("electrode motion added", "em_", noise)] if noise is not None else [])
    draws = [("", "", DRAWS[:1])] if options.quick else [("", "", DRAWS), (", fresh draws", "fresh_", FRESH)]
    tables = []
    for kept, (title, prefix, added) in [(draw, kind) for draw in draws for kind in kinds]:
        made_here = _table(title + kept[0], folder, options, added, kept[2], with_episodes=True)
        tables.append(_named(made_here, kept[1] + prefix))
    return [*tables, _named(_table("no episodes", folder, options, None, DRAWS[:1], with_episodes=False), "none_")]


def _named(table: Table, prefix: str) -> Table:
    table.figures = {prefix + name: value for name, value in table.figures.items()}
    return table


def _noise(folder: Path) -> Floats | None:
    """Electrode motion in mV at the rate of mitdb, scaled."""
    header = folder / "em.hea"
    if not header.exists():
        return None
    uv = recording(header).microvolts()[0]
    return np.asarray(uv * NOISE_MV / uv.std())


def _table(title: str, folder: Path, options: Any, noise: Floats | None, draws: range, *, with_episodes: bool) -> Table:
    table = Table(
        f"ST episodes, {title}", ["record", "lead", "made", "found", "called", "right", "s made", "s both", "s called"]
    )
    found, called = Counts(), Counts()
    both = made_s = called_s = hours = 0.0
    for header in headers(folder)[: options.limit or None]:
        marks = notes(header, "atr")
        if marks is None or np.mean([name in "/f" for name in marks.symbol]) > 0.1:
            continue
        for draw in draws:
            record = made(header, marks.beats, noise, draw, with_episodes=with_episodes)
            events = st_episodes(measure(record.recording), StRule())
            hours += record.recording.duration_s / 3600 * len(record.recording.leads)
            for lead, shift in zip(record.recording.leads, record.shift_mv, strict=True):
                mine = [(e.start_s, e.end_s, 1 if e.kind == "st_elevation" else -1) for e in events if lead in e.leads]
                real = truth(shift)
                hit = sum(any(_overlap(a, b) > 0 for b in mine) for a in real)
                right = sum(any(_overlap(a, b) > 0 for a in real) for b in mine)
                shared = sum(_overlap(a, b) for a in real for b in mine)
                lasts = [sum(end - start for start, end, _ in group) for group in (real, mine)]
                found.add(Counts(hit, len(real) - hit, 0))
                called.add(Counts(right, 0, len(mine) - right))
                both, made_s, called_s = both + shared, made_s + lasts[0], called_s + lasts[1]
                if hit < len(real) or right < len(mine):
                    row = [len(real), hit, len(mine), right, *map(round, (lasts[0], shared, lasts[1]))]
                    table.rows.append([header.stem, lead, *row])
    wrong_an_hour = called.fp / max(hours, 1e-9)
    table.figures = {"false_an_hour": wrong_an_hour}
    table.note = f"{called.fp} called without cause in {hours:.1f} lead hours"
    if with_episodes:
        table.figures |= {
            "episode_se": found.se,
            "episode_ppv": called.ppv,
            "duration_se": 100 * both / max(made_s, 1e-9),
            "duration_ppv": 100 * both / max(called_s, 1e-9),
        }
        table.note = (
            f"{found.tp + found.fn} episodes: Se {found.se:.1f} %, +P {called.ppv:.1f} %; of the time "
            f"Se {table.figures['duration_se']:.1f} %, +P {table.figures['duration_ppv']:.1f} %; {table.note}"
        )
    return table


def _overlap(first: tuple[float, float, int], second: tuple[float, float, int]) -> float:
    """Seconds that two episodes of one direction share."""
    return max(0.0, min(first[1], second[1]) - max(first[0], second[0])) if first[2] == second[2] else 0.0
