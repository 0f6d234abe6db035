"""Which beats and which rhythm did people write down? RR series for fitting and measuring episodes of fibrillation."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.data import BEAT_SYMBOLS, headers, notes

FIBRILLATION: Final = ("(AFIB", "(AF")
FLUTTER: Final = ("(AFL",)
VENTRICULAR: Final = frozenset("VEF!")


@dataclass(frozen=True, eq=False)
class Rhythm:
    """Beats, whether each is ventricular, and (start, end) samples of fibrillation and of flutter."""

    name: str
    hz: float
    at: NDArray[np.int_]
    ventricular: NDArray[np.bool_]
    fibrillation: list[tuple[int, int]]
    flutter: list[tuple[int, int]]
    n: int
    has_signal: bool

    def inside(self, stretches: list[tuple[int, int]]) -> NDArray[np.bool_]:
        """(n_beats,) which beats lie in one of these stretches."""
        found = np.zeros(len(self.at), bool)
        for start, stop in stretches:
            found |= (self.at >= start) & (self.at < stop)
        return found


def rhythms(folder: Path) -> Iterator[Rhythm]:
    """Each record that has a rhythm written down; beats from its ``.qrs`` where it has no signal, else from ``.atr``.

    CPSC 2021 says in a comment of the header that a record holds no fibrillation or nothing else.
    """
    for header in headers(folder):
        found = notes(header, "atr")
        if found is None:
            continue
        words = [(int(at), text) for at, text in zip(found.at, found.text, strict=True) if text.startswith("(")]
        said = header.read_text("latin-1").lower()
        if not words and "non atrial fibrillation" not in said:
            continue
        has_signal = any(header.with_suffix(ending).exists() for ending in (".dat", ".mat"))
        own = notes(header, "qrs")
        beats = own if own is not None and not has_signal else found
        keep = np.array([symbol in BEAT_SYMBOLS for symbol in beats.symbol], bool)
        symbols = [symbol for symbol, kept in zip(beats.symbol, keep.tolist(), strict=True) if kept]
        at = beats.at[keep]
        first = header.read_text("latin-1").split("\n", 1)[0].split()
        hz, n = float(first[2].split("/")[0]), int(first[3]) if has_signal else int(at[-1]) + 1
        ends = [*(at for at, _ in words[1:]), n][: len(words)]
        yield Rhythm(
            header.stem,
            hz,
            at,
            np.array([symbol in VENTRICULAR for symbol in symbols], bool),
            [(start, end) for (start, word), end in zip(words, ends, strict=True) if word in FIBRILLATION],
            [(start, end) for (start, word), end in zip(words, ends, strict=True) if word in FLUTTER],
            n,
            has_signal,
        )
