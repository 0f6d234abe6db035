"""Three real people twice, against sums made here from the file itself."""

import csv
import math
import os
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from support.pressures import codes

from worker.formats.pressure_columns import PressureMap
from worker.formats.pressure_csv import read_all
from worker.pressure.analysis import analyse

HYPNOS = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "abpm" / "hypnos_abpm.csv"
pytestmark = pytest.mark.skipif(not HYPNOS.is_file(), reason=f"no real readings in {HYPNOS.parent} (set ECG_DATA)")

MAP = """
header_rows = 1
time_format = "%Y-%m-%d %H:%M:%S"
[columns]
at = "DATE.TIME"
systolic = "SYST"
mean = "MAP"
diastolic = "DIAST"
pulse = "HR"
awake = "WAKE"
subject = "ID+VISIT"
"""


def usable(row):
    """The editing limits, written down once more."""
    systolic, diastolic, pulse = float(row["SYST"]), float(row["DIAST"]), float(row["HR"])
    return 70 <= systolic <= 260 and 40 <= diastolic <= 150 and 20 <= systolic - diastolic <= 150 and 20 <= pulse <= 200


def sums(rows, column):
    """Mean, sample SD and mean absolute step."""
    values = [float(row[column]) for row in rows]
    mean = sum(values) / len(values)
    sd = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return mean, sd, sum(abs(b - a) for a, b in pairwise(values)) / (len(values) - 1)


def recorded():
    rows = list(csv.DictReader(HYPNOS.open()))
    people = sorted({(row["ID"], row["VISIT"]) for row in rows})
    own = {
        person: sorted((r for r in rows if (r["ID"], r["VISIT"]) == person and usable(r)), key=lambda r: r["DATE.TIME"])
        for person in people
    }
    series = read_all(HYPNOS.read_bytes(), PressureMap.parse(MAP))
    return [(own[person], next(s for s in series if _is(s, own[person]))) for person in people]


def _is(series, rows):
    return (
        series.readings[0].at.date()
        <= datetime.fromisoformat(rows[0]["DATE.TIME"]).date()
        <= series.readings[-1].at.date()
    )


def test_the_figures_are_those_of_the_file():
    found = recorded()
    assert len(found) == 6
    for rows, series in found:
        figures = analyse(series).pressure
        awake, asleep = [r for r in rows if r["WAKE"] == "1.0"], [r for r in rows if r["WAKE"] == "0.0"]
        for name, mine in (("24h", rows), ("day", awake), ("night", asleep)):
            summary = figures.period(name)
            assert summary.readings == len(mine)
            for column, spread in (("SYST", summary.systolic), ("DIAST", summary.diastolic), ("HR", summary.pulse)):
                mean, sd, steps = sums(mine, column)
                assert spread.mean == pytest.approx(mean, abs=0.006)
                assert spread.sd == pytest.approx(sd, abs=0.006)
                if name != "day":  # the day has two ends, and no step leads over the night between them
                    assert spread.arv == pytest.approx(steps, abs=0.006)
        day, night = sums(awake, "SYST")[0], sums(asleep, "SYST")[0]
        assert figures.dipping.systolic_percent == pytest.approx(100 * (day - night) / day, abs=0.006)
        systolic, diastolic = [float(r["SYST"]) for r in rows], [float(r["DIAST"]) for r in rows]
        centre, level = sum(systolic) / len(systolic), sum(diastolic) / len(diastolic)
        slope = sum((s - centre) * (d - level) for s, d in zip(systolic, diastolic, strict=True)) / sum(
            (s - centre) ** 2 for s in systolic
        )
        assert figures.stiffness.aasi == pytest.approx(1 - slope, abs=0.001)
        assert figures.night_by == "device"


def test_what_is_said_of_them_is_plausible():
    """Older men and women, a reading an hour: limited recordings, systolic, with every kind of night."""
    said = [codes(analyse(series)) for _, series in recorded()]
    assert sum("906" in one for one in said) == 3
    assert sum("940" in one for one in said) == 5
    assert all(len({"920", "921", "922", "923"} & set(one)) == 1 for one in said)
    for _, series in recorded():
        figures = analyse(series).pressure
        assert 90 < figures.period("24h").systolic.mean < 160
        assert 50 < figures.period("24h").diastolic.mean < 90
        assert abs(figures.period("24h").systolic.weighted_mean - figures.period("24h").systolic.mean) < 3
        assert 0.3 < figures.stiffness.aasi < 0.9


def spread(values):
    """The sample's SD."""
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def test_weighted_sd_load_and_both_surges_are_those_of_the_file():
    for rows, series in recorded():
        figures = analyse(series).pressure
        read = [(datetime.fromisoformat(r["DATE.TIME"]), float(r["SYST"]), r["WAKE"] == "1.0") for r in rows]
        sides = [max(min((b[0] - a[0]).total_seconds() / 7200, 1), 1 / 120) for a, b in pairwise(read)]
        hours = [before + after for before, after in zip([sides[0], *sides], [*sides, sides[-1]], strict=True)]
        parts = []
        for awake in (True, False):
            own = [(one[1], share) for one, share in zip(read, hours, strict=True) if one[2] is awake]
            parts.append((spread([value for value, _ in own]), sum(share for _, share in own)))
        expected = sum(sd * share for sd, share in parts) / sum(share for _, share in parts)
        assert figures.weighted_systolic_sd == pytest.approx(expected, abs=0.001)

        high = sum(systolic >= (135 if awake else 120) for _, systolic, awake in read)
        assert figures.period("24h").systolic_load_percent == pytest.approx(100 * high / len(read), abs=0.001)

        (night,) = figures.by_night
        start, end = night.start_at.replace(tzinfo=None), night.end_at.replace(tzinfo=None)
        asleep = [one for one in read if start <= one[0] < end]
        morning = mean_of(one for one in read if end <= one[0] < end + timedelta(hours=2))
        lowest = min(asleep, key=lambda one: one[1])[0]
        trough = mean_of(one for one in asleep if abs(one[0] - lowest) <= timedelta(minutes=30))
        assert night.surge == figures.surge
        assert figures.surge.sleep_trough_mmhg == pytest.approx(morning - trough, abs=0.001)
        before = [one for one in asleep if one[0] >= end - timedelta(hours=2)]
        rise = pytest.approx(morning - mean_of(before), abs=0.001) if before else None
        assert figures.surge.prewaking_mmhg == rise


def mean_of(read):
    """The mean systolic pressure of these readings."""
    values = [systolic for _, systolic, _ in read]
    return sum(values) / len(values)
