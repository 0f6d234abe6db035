"""Fits the coefficient of ``worker/signal/qrs_agreement.py``: ``python -m bench.accuracy.fit_qrs_agreement DS1``.

Logistic regression of one coefficient beside the log odds that a candidate has already, over both leads of each record,
clean, with NSTDB's electrode motion of 6 dB in the second, and in both. With ``--folds N`` records are left out in turn
and what is missed and false in them is printed, from 5:00 on; without, the coefficient is.
"""

import argparse
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.data import headers, notes, recording
from bench.accuracy.fit_qrs import measured
from bench.accuracy.noise import mix, stretches
from bench.accuracy.qrs import unscored
from bench.accuracy.score import LEARNING_S, Counts, compare
from worker.signal import qrs, qrs_agreement, qrs_weights

Floats = NDArray[np.float64]
Block = tuple[Floats, Floats, float]
SNR_DB: Final = 6.0
NOISY: Final = 0.3
"""What a noisy candidate weighs beside a clean one."""
BELIEVED: Final = 6.0
RIDGE: Final = 1e-4
"""On the mean over the candidates: without it the coefficient is -5.3, which costs four beats more in records that are
left out, for five false ones."""
ROUNDS: Final = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    options = parser.parse_args()
    records = [header for header in headers(options.folder) if notes(header, "atr") is not None]
    _use(0.0)  # with the beats that are believed before the leads are asked
    rows = {header.stem: _examples(header) for header in records}
    if not options.folds:
        print(round(_fit([block for blocks in rows.values() for block in blocks]), 2))
        return
    total = Counts()
    for fold in range(options.folds):
        held = records[fold :: options.folds]
        names = {header.stem for header in held}
        found = _fit([block for name, blocks in rows.items() if name not in names for block in blocks])
        _use(found)
        for header in held:
            counts = _score(header)
            total.add(counts)
            print(header.stem, counts.fn, counts.fp, flush=True)
        print(f"coefficient {found:.2f}")
    print(f"missed {total.fn}, false {total.fp}: Se {total.se:.3f} %, +P {total.ppv:.3f} %")


def _use(coefficient: float) -> None:
    object.__setattr__(qrs_agreement, "COEFFICIENT", coefficient)


def _look(candidates: qrs_weights.Candidates, beats: NDArray[np.int_]) -> Floats:
    """(n, 2): log odds without a look at each lead, and its silence."""
    worth = np.clip(qrs_weights.weigh(qrs_weights.measures(candidates, beats)), -BELIEVED, BELIEVED)
    return np.stack([worth, qrs_agreement.silence(candidates, beats)], axis=1)


def _examples(header: Path) -> list[Block]:
    whole, found = recording(header), notes(header, "atr")
    assert found is not None
    uv, hz = whole.microvolts()[:2], whole.sampling_hz
    left_out = unscored(found, whole.n_samples)
    blocks = [(*measured(uv, hz, found.beats, left_out, _look), 1.0)]
    noise = header.parent.parent / "nstdb" / "em.hea"
    if noise.exists():
        waves = recording(noise).microvolts() / 1000
        mixed = [mix(lead / 1000, wave, found.beats, hz, SNR_DB) for lead, wave in zip(uv, waves, strict=True)]
        (first, on), (second, _) = mixed
        skip = [*left_out, *stretches(~on)]
        for leads in ((uv[0], 1000 * second), (1000 * first, 1000 * second)):
            blocks.append((*measured(np.stack(leads), hz, found.beats, skip, _look), NOISY))
    return blocks


def _fit(blocks: list[Block]) -> float:
    """By Newton's method."""
    look, truth = np.concatenate([block[0] for block in blocks]), np.concatenate([block[1] for block in blocks])
    weight = np.concatenate([np.full(len(block[1]), block[2]) for block in blocks])
    weight /= weight.sum()
    worth, silence = look.T
    found = 0.0
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-(worth + found * silence)))
        slope = float(np.sum(weight * (chance - truth) * silence)) + RIDGE * found
        found -= slope / (float(np.sum(weight * chance * (1 - chance) * silence**2)) + RIDGE)
    return found


def _score(header: Path) -> Counts:
    whole, found = recording(header), notes(header, "atr")
    assert found is not None
    hz = whole.sampling_hz
    at = qrs.find_beats(whole.microvolts()[:2], hz)
    learning = round(LEARNING_S * hz)
    return compare(found.beats, at, hz, excluded=unscored(found, whole.n_samples), start=learning)[0]


if __name__ == "__main__":
    main()
