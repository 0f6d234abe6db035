"""Recording → Measured: the half of the Holter that looks at the signal, in a few passes over its blocks.

beats, noise and pacing pulses → what each beat looks like, its class and template → ST, QT and alternans → fibrillation
and standstill. How long the passes take is in docs/measurements.md; none needs more memory for a longer day, but
for the beats themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.blocks import blocks_of
from worker.holter.classify import classified
from worker.holter.day import Block, Day
from worker.holter.detect import Found, Search, Seen
from worker.holter.flutter import flutter_of
from worker.holter.measured import Beats, Label, Measured
from worker.holter.minutes import minutes_of
from worker.holter.noise import Noise, Windows, noise_of, windows_of, without
from worker.holter.p_alone import p_alone
from worker.holter.pauses import unconfirmed
from worker.holter.racing import counted, recounted
from worker.holter.spikes import believed, blanked, paced, pulses_in
from worker.holter.templates import cluster
from worker.holter.vf import restless, rhythms_of
from worker.holter.wide import told_by_beats, wide_of
from worker.mapped import give_back
from worker.recording import Recording

Int64s = NDArray[np.int64]
Float32s = NDArray[np.float32]
Progress = Callable[[float, str], None]

BEATS_UNTIL: Final = 0.35
CLASSES_UNTIL: Final = 0.65
"""Shares of the whole measurement, by how long the parts take."""
PACED_CONFIDENCE: Final = 0.95


@dataclass(frozen=True, eq=False)
class Searched:
    """What the first pass found.

    Attributes:
        at: (n,) int64 R peaks.
        pulses: (n,) int64 pacing pulses.
        suspects: (n,) int64 samples from which no lead is calm for some seconds.
    """

    at: Int64s
    pulses: Int64s
    suspects: Int64s
    noise: Noise


def measure(recording: Recording, progress: Progress = lambda share, stage: None) -> Measured:
    """All that the signal of a long recording says.

    Args:
        progress: told which share is done, 0 to 1, and what is being done.
    """
    day = Day(recording)
    first = search(day, lambda share: progress(share * BEATS_UNTIL, "beats"))
    give_back()
    progress(BEATS_UNTIL, "classes")
    found = classified(day, first.at)
    label, confidence = found.label, found.confidence
    given = paced(first.pulses, first.at, day.hz)
    label[given], confidence[given] = Label.P, PACED_CONFIDENCE
    template, templates = cluster(day, first.at, found.blocks, label, found.rows)
    beats = Beats(first.at, label, confidence, template, _whole_ms(found.qrs_ms), found.p_like)
    del found
    give_back()
    progress(CLASSES_UNTIL, "minutes")
    noise = first.noise.with_unrest(unconfirmed(day, first.at, templates, first.noise.unreadable))
    seen = rhythms_of(day, first.suspects, first.at, noise.unreadable)
    rhythms = tuple(stretch for stretch in seen if stretch.reason != "monomorphic")
    beats = recounted(day, beats, [stretch for stretch in seen if stretch not in rhythms])
    beats, alone = p_alone(day, beats, templates, noise.unreadable)
    if len(beats) != len(first.at):
        templates = counted(templates, beats)
    still = [s for s in rhythms if s.reason == "asystole"]
    rhythms = (*rhythms, *(s for s in alone if not any(s.start < o.stop and o.start < s.stop for o in still)))
    unreadable = without(noise.unreadable, rhythms)
    beats, broad = told_by_beats(beats, wide_of(day, beats, unreadable))
    minutes = minutes_of(day, beats, unreadable, noise.leads)
    progress(1.0, "minutes")
    return Measured(
        leads=recording.leads,
        sampling_hz=recording.sampling_hz,
        n_samples=recording.n_samples,
        started_at=recording.started_at,
        calibrated=recording.calibrated,
        beats=beats,
        templates=templates,
        minutes=minutes,
        unreadable=unreadable,
        lead_noise=noise.leads,
        rhythms=(*rhythms, *broad),
        flutter=flutter_of(day, beats),
        blocks=blocks_of(day, beats, unreadable),
        marks=recording.annotations,
        warnings=recording.warnings,
    )


def search(day: Day, progress: Callable[[float], None] = lambda share: None) -> Searched:
    """The first pass: beats, pacing pulses and noise."""
    rows = day.independent
    finder, found = Search(day), Found([], [])
    windows: list[Windows] = []
    unrest: list[Int64s] = []
    pulses: list[Int64s] = []
    suspects: list[Int64s] = []
    for block in day.blocks(rows=rows):
        seen, given = _block(day, finder, block)
        found.add(seen)
        unrest.append(seen.unrest)
        pulses.append(given)
        windows.append(windows_of(day, block, seen, rows))
        suspects.append(restless(block, seen.broad, seen.hz, day.hz))
        progress(block.stop / day.n_samples)
    at, odds = found.in_order(day.hz)
    del found
    noise = noise_of(day, rows, windows, finder.window, at, odds)
    noise = noise.with_unrest(np.concatenate(unrest))
    return Searched(at, np.concatenate(pulses), np.concatenate(suspects), noise)


def _block(day: Day, finder: Search, block: Block) -> tuple[Seen, Int64s]:
    """(what was seen, pacing pulses) of a block; where there are pulses, beats are looked for without them."""
    seen = finder.beats_in(block)
    pulses = pulses_in(block.uv, day.hz)
    given = believed(pulses, seen.sample - block.first, day.hz, block.uv.shape[1] / day.hz)
    if given.size:
        seen = finder.beats_in(Block(block.start, block.stop, block.first, blanked(block.uv, day.hz, given)))
    given = given + block.first
    return seen, given[(given >= block.start) & (given < block.stop)]


def _whole_ms(values: Float32s) -> NDArray[np.int16]:
    return np.clip(np.rint(np.nan_to_num(values)), 0, 32767).astype(np.int16)
