"""Where does the heart as a whole begin and end each wave, by the experts and by us? The median of leads.

The tolerances of the CSE working party (doi:10.1093/oxfordjournals.eurheartj.a061914) are for such global limits: its
readers looked at all leads together. A limit of one lead, which another reader of that lead would set elsewhere,
scatters more. Told by every beat, and by one value a record: the median over its beats, as the representative beat of
IEC 60601-2-25 gives one.
"""

from collections import defaultdict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.limit_marks import Marked, beat_of
from bench.accuracy.score import Table
from worker.signal.beat_limits import BeatLimits

SD_MS: Final = {"p_on": 10.2, "p_off": 12.7, "qrs_on": 6.5, "qrs_off": 11.6, "t_off": 30.6}
LEAST_LEADS: Final = 4
"""Of fewer marked leads no global limit is known."""
FAR_MS: Final = 150.0
"""What is farther off is no limit of the same wave: the mark counts as not found."""


class GlobalLimits:
    """Gathers what was marked and what was found, record by record."""

    def __init__(self) -> None:
        self.marked = dict.fromkeys(SD_MS, 0)
        self.errors: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in SD_MS}

    def add(self, stretch: Marked, found: tuple[NDArray[np.int_], float, BeatLimits] | None) -> None:
        """One stretch of a record; of two leads alone, or of fewer than four, nothing is taken."""
        factor = 1.0 if found is None else found[1] / stretch.record.sampling_hz
        gathered: dict[tuple[int, str], list[tuple[int, float]]] = defaultdict(list)
        lost: dict[tuple[int, str], int] = defaultdict(int)
        for mark in stretch.marks:
            if len(mark.rows) > 1:
                continue
            beat = None if found is None else beat_of(mark, found[0], found[1], factor)
            for name, at in ((f"{mark.wave}_on", mark.on), (f"{mark.wave}_off", mark.off)):
                if name not in SD_MS or at is None:
                    continue
                if beat is None:
                    lost[round(mark.peak / (0.3 * stretch.record.sampling_hz)), name] += 1
                else:
                    gathered[beat, name].append((mark.rows[0], at * factor))
        for (_, name), leads in lost.items():
            self.marked[name] += leads >= LEAST_LEADS
        if found is not None:
            for (beat, name), places in gathered.items():
                if len(places) >= LEAST_LEADS:
                    self._compare(stretch.name.split(":")[0], name, places, getattr(found[2], name)[beat], found[1])

    def _compare(
        self, record: str, name: str, marks: list[tuple[int, float]], ours: NDArray[np.float64], hz: float
    ) -> None:
        self.marked[name] += 1
        there = ours[[row for row, _ in marks]]
        if np.isnan(there).all():
            return
        error = 1000 / hz * (float(np.nanmedian(there)) - float(np.median([at for _, at in marks])))
        if abs(error) <= FAR_MS:
            self.errors[name][record].append(error)

    def tables(self) -> list[Table]:
        """By beats and by records; nothing where no record has its leads marked one by one."""
        if not any(self.marked.values()):
            return []
        beats = Table("Global limits of every beat, ms", ["limit", "marked", "found %", "mean", "SD", "SD to reach"])
        records = Table("Global limits, one a record, ms", ["limit", "records", "mean", "SD", "SD to reach"])
        for name, by_record in self.errors.items():
            if not by_record:
                continue
            every = np.concatenate([np.array(errors) for errors in by_record.values()])
            one = np.array([np.median(errors) for errors in by_record.values()])
            share = 100 * every.size / self.marked[name]
            beats.rows.append([name, self.marked[name], share, float(every.mean()), float(every.std()), SD_MS[name]])
            records.rows.append([name, one.size, float(one.mean()), float(one.std()), SD_MS[name]])
            for key, values in (("global_limits", every), ("global_limits_by_record", one)):
                target = beats if key == "global_limits" else records
                target.figures |= {f"{key}.{name}.mean": float(values.mean()), f"{key}.{name}.sd": float(values.std())}
            beats.figures[f"global_limits.{name}.found"] = share
        beats.note = f"median of the leads marked, {LEAST_LEADS} or more, against the median of ours in the same leads"
        return [beats, records]
