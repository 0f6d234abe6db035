"""Amplitudes, durations and intervals of signals that are known to the microvolt, without and with noise.

Tolerances of IEC 60601-2-25:2011, 201.12.1.101 (the tables of 50.101 in IEC 60601-2-51:2003): amplitudes ±25 µV up to
500 µV, ±5 % beyond; on these signals the mean difference of P ±10 ms with an SD of 8, PQ ±10 with 8, QRS
±6 with 5, QT ±12 with 10, and Q, R and S of a lead ±6 with 5. The standard was not at hand: the tables are from memory
and have to be compared with it. The signals are our own: :mod:`bench.accuracy.calibration_signals`. At 250 Hz, where
the standard asks for 500, the tips of what is drawn lie between the samples.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.accuracy.calibration_signals import NOISES, SIGNALS, Signal, drawn
from bench.accuracy.score import Table
from ecg_center.contract.findings import Measurements
from worker.resting.measure import measure
from worker.resting.patient import Person
from worker.resting.reading import Reading, read_signal
from worker.resting.rhythm import rhythm_of
from worker.resting.traces import prepare

NEEDS = "nothing: the signals are drawn"
SMALL_UV, SMALL_TOLERANCE_UV, LARGE_TOLERANCE = 500.0, 25.0, 0.05
LEAST_UV: Final = 20.0
TOLERANCE_MS: Final = {
    "p_ms": (10.0, 8.0), "pr_ms": (10.0, 8.0), "qrs_ms": (6.0, 5.0), "qt_ms": (12.0, 10.0),
    "q_ms": (6.0, 5.0), "r_ms": (6.0, 5.0), "s_ms": (6.0, 5.0),
}  # fmt: skip
"""Mean, SD."""
RATES_HZ: Final = (500.0, 250.0, 1000.0)
GLOBAL: Final = ("p_ms", "pr_ms", "qrs_ms", "qt_ms")
AMPLITUDES: Final = ("p_uv", "q_uv", "r_uv", "s_uv", "st_uv", "t_uv")
Measured = tuple[Signal, Reading, Measurements]


def run(folder: Path, options: Any) -> list[Table]:
    """One table a sampling rate and noise, all of them in short, and what lies outside."""
    noises, rates = (NOISES[:1], RATES_HZ[:1]) if options.quick else (NOISES, RATES_HZ)
    tables, outside = [], Table("Outside", ["signal", "Hz", "noise", "lead", "what", "known", "measured"])
    short = Table("Inside, %", ["Hz", "noise", "amplitudes", "durations and intervals"])
    for hz in rates:
        for noise in noises:
            table = Table(f"{hz:g} Hz, noise: {noise}", ["what", "n", "mean", "SD", "worst", "inside %", "tolerance"])
            measured = list(readings(noise, hz))
            key = noise if hz == RATES_HZ[0] else f"{hz:g}hz.{noise}"
            within = (
                _amplitudes(table, outside, measured, (hz, noise), key),
                _durations(table, outside, measured, (hz, noise), key),
            )
            short.rows.append([hz, noise, *within])
            tables.append(table)
    short.figures["inside"] = min(share for row in short.rows for share in row[2:])
    short.note = "of every amplitude of every lead; of the durations and intervals whose mean and SD are inside"
    return [*tables, short, outside]


def readings(noise: str, hz: float = RATES_HZ[0]) -> Iterable[tuple[Signal, Reading, Measurements]]:
    """Every signal as the pre-read measures it."""
    for signal in SIGNALS:
        reading = read_signal(prepare(drawn(signal, noise, hz=hz)), Person(), calibrated=True)
        yield signal, reading, measure(reading, rhythm_of(reading))


def amplitudes(signal: Signal, reading: Reading) -> list[tuple[str, str, float, float]]:
    """(lead, wave, known, measured) µV."""
    rows = []
    for lead, known in signal.leads.items():
        found = reading.waves.get(lead)
        if found is None:
            continue
        expected = dict(zip(AMPLITUDES, (known.p, known.q, known.r, known.s, known.st, known.t), strict=True))
        measured = {name: getattr(found, "st_j_uv" if name == "st_uv" else name) for name in AMPLITUDES}
        if expected["r_uv"] < 0:  # an inverted QRS begins with an r, then has its Q
            expected = {"p_uv": known.p, "t_uv": known.t, "st_uv": known.st}
        if known.st and known.t:  # where T stands on a slope of ST its height is not that of the sine
            del expected["t_uv"]
        if known.st < 0 and "s_uv" in expected:  # S runs over into ST and has no lowest place of its own
            del expected["s_uv"]
        rows += [(lead, name, value, float(measured[name])) for name, value in expected.items()]
    return rows


def tolerance_uv(known: float) -> float:
    """How far an amplitude may be off.

    >>> tolerance_uv(-300), tolerance_uv(2000)
    (25.0, 100.0)
    """
    return max(SMALL_TOLERANCE_UV, LARGE_TOLERANCE * abs(known)) if abs(known) > SMALL_UV else SMALL_TOLERANCE_UV


def durations(signal: Signal, reading: Reading, measured: Measurements) -> list[tuple[str, str, float, float | None]]:
    """(lead or ``all``, what, known, measured) ms."""
    rows: list[tuple[str, str, float, float | None]] = [
        ("all", name, getattr(signal, name), getattr(measured, name)) for name in GLOBAL
    ]
    for lead, known in signal.leads.items():
        found = reading.waves.get(lead)
        if found is None or known.r <= 0:
            continue
        for name, size in (("q_ms", known.q), ("r_ms", known.r), ("s_ms", known.s)):
            if abs(size) >= 2 * LEAST_UV and not (name == "s_ms" and known.st):
                rows.append((lead, name, getattr(signal, name), getattr(found, name)))
    return rows


def _amplitudes(table: Table, outside: Table, measured: list[Measured], where: tuple[float, str], key: str) -> float:
    """The share inside, %."""
    errors: dict[str, list[tuple[float, bool]]] = {name: [] for name in AMPLITUDES}
    for signal, reading, _ in measured:
        for lead, name, known, found in amplitudes(signal, reading):
            inside = abs(found - known) <= tolerance_uv(known)
            errors[name].append((found - known, inside))
            if not inside:
                outside.rows.append([signal.name, *where, lead, name, known, found])
    for name, values in errors.items():
        at = np.array([error for error, _ in values])
        share = 100 * float(np.mean([inside for _, inside in values]))
        worst = float(at[np.argmax(np.abs(at))])
        table.rows.append([name, len(at), float(at.mean()), float(at.std()), worst, share, "25 µV, 5 %"])
        table.figures[f"{key}.{name}.inside"] = share
    return 100 * float(np.mean([inside for values in errors.values() for _, inside in values]))


def _durations(table: Table, outside: Table, measured: list[Measured], where: tuple[float, str], key: str) -> float:
    """The share of the kinds whose mean and SD are inside, %; what was not measured at all is outside."""
    errors: dict[str, list[float]] = {name: [] for name in TOLERANCE_MS}
    lost = set()
    for signal, reading, ours in measured:
        for lead, name, known, found in durations(signal, reading, ours):
            mean, spread = TOLERANCE_MS[name]
            if found is not None:
                errors[name].append(found - known)
            else:
                lost.add(name)
            if found is None or abs(found - known) > mean + 2 * spread:
                outside.rows.append([signal.name, *where, lead, name, known, "-" if found is None else found])
    inside = []
    for name, values in errors.items():
        mean, spread = TOLERANCE_MS[name]
        at = np.array(values)
        worst = float(at[np.argmax(np.abs(at))])
        good = abs(at.mean()) <= mean and at.std() <= spread and name not in lost
        inside.append(good)
        said = f"±{mean:g}, SD {spread:g}: {'inside' if good else 'OUTSIDE'}"
        table.rows.append([name, len(at), float(at.mean()), float(at.std()), worst, "-", said])
        table.figures |= {f"{key}.{name}.mean": float(at.mean()), f"{key}.{name}.sd": float(at.std())}
    return 100 * float(np.mean(inside))
