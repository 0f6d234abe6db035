"""What has changed between two resting ECGs of one person?

A difference counts where it is larger than what two recordings of an unchanged heart differ by; why they do is told by
Schijvenaars, van Herpen and Kors (doi:10.1016/j.jelectrocard.2008.01.012): breathing, posture, electrodes placed anew.
Each limit says where it comes from. Pure: two findings in, differences out.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Literal

from ecg_center.contract.findings import Findings, Measurements
from ecg_center.domain.leads import in_standard_order
from ecg_center.domain.statements import in_report_order

Kind = Literal["measurement", "st", "axis", "new", "vanished"]

REPEATED: Final = 2 * 2**0.5
"""Two measurements that scatter by SD each differ by less than 2 √2 SD in 95 of 100 unchanged persons."""
PR_MS: Final = round(REPEATED * 10)
QRS_MS: Final = round(REPEATED * 8)
"""The SD against readers that the measurements of this engine are held to (``bench.accuracy delineation``)."""
QTC_MS: Final = 60.0
"""ICH E14 (2005): an increase of more than 60 ms over the baseline is a concern; days alone bring up to 30 ms."""
RATE_BPM: Final = 20.0
AXIS_DEG: Final = 30.0
"""A convention, not measured: rest, posture and electrodes placed anew change rate and axis by as much as this."""
ST_MV: Final = 0.1
"""At J, as the Fourth Universal Definition of MI asks of two leads (doi:10.1016/j.jacc.2018.08.1038)."""
_UNCOUNTED: Final = frozenset(("1", "4"))
"""Normal ECG and uninterpretable ECG: they say something of the whole, not of a change."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was measured or said in both recordings, or in one of them.

    Attributes:
        kind: what sort of thing; ``new`` and ``vanished`` are of statements.
        name: the field of ``Measurements``, the lead for ``st``, or the statement's code.
        before, now: the values; None for statements, and where there is none.
        limit: what the difference has to exceed (ST: to reach).
        unit: of the values and the limit.
    """

    kind: Kind
    name: str
    before: float | None = None
    now: float | None = None
    limit: float | None = None
    unit: str = ""

    @property
    def change(self) -> float | None:
        """Now less before; for an axis the shorter way round, −180 to 180°."""
        if self.before is None or self.now is None:
            return None
        return _turn(self.before, self.now) if self.kind == "axis" else self.now - self.before

    @property
    def counts(self) -> bool:
        """Whether it is more than an unchanged heart differs by."""
        if self.kind in ("new", "vanished"):
            return True
        change = self.change
        if change is None or self.limit is None:
            return False
        return round(abs(change), 3) >= self.limit if self.kind == "st" else abs(change) > self.limit


_MEASURED: Final[tuple[tuple[str, Callable[[Measurements], float | None], float, str], ...]] = (
    ("heart_rate_bpm", lambda m: m.heart_rate_bpm, RATE_BPM, "/min"),
    ("pr_ms", lambda m: m.pr_ms, PR_MS, "ms"),
    ("qrs_ms", lambda m: m.qrs_ms, QRS_MS, "ms"),
    ("qtc_ms", lambda m: m.qtc_ms, QTC_MS, "ms"),
    ("qrs_axis_deg", lambda m: m.qrs_axis_deg, AXIS_DEG, "°"),
)


def compare(before: Findings, now: Findings, signed: Collection[str] | None = None) -> list[Difference]:
    """What counts, in a fixed order: measurements, axis, ST by lead, new statements, vanished ones.

    A value that either recording lacks is no difference. QTc is compared only where both were corrected by the same
    formula, ST not at all where either recording is to be repeated, for then its leads cannot be trusted. Of the
    earlier one ``signed`` are the codes of its signed report, where there is one: what the physicians added there is
    not new, what they took out of the pre-read has not vanished.

    Raises:
        ValueError: one of the two is not a resting ECG.

    >>> def findings(**values):
    ...     return Findings(
    ...         engine="x", engine_version="1", kind="resting", duration_s=10, sampling_hz=500, leads=["II"],
    ...         quality={"verdict": "usable"}, grade="normal", measurements=values,
    ...     )
    >>> [(item.name, item.change) for item in compare(findings(pr_ms=160, qrs_ms=90), findings(pr_ms=190, qrs_ms=99))]
    [('pr_ms', 30.0)]
    """
    found = [item for item in side_by_side(before, now) if item.counts]
    return [*found, *_statements(before, now, signed)]


def side_by_side(before: Findings, now: Findings) -> list[Difference]:
    """Every measurement of either recording, then ST in each lead that both have, whether it changed or not.

    Raises:
        ValueError: one of the two is not a resting ECG.
    """
    for findings in (before, now):
        if findings.kind != "resting":
            raise ValueError(f"a {findings.kind} recording: compare two resting ECGs")
    old, new = before.measurements, now.measurements
    found = []
    for name, value, limit, unit in _MEASURED:
        a, b = value(old), value(new)
        alike = name != "qtc_ms" or old.qtc_formula == new.qtc_formula
        if a is not None or b is not None:
            found.append(
                Difference("axis" if unit == "°" else "measurement", name, a, b, limit if alike else None, unit)
            )
    return [*found, *_st(before, now)]


def _turn(before: float, now: float) -> float:
    """From one axis to the other the shorter way round, degrees.

    >>> _turn(170, -170)
    20
    """
    return (now - before + 180) % 360 - 180


def _st(before: Findings, now: Findings) -> list[Difference]:
    """ST level at J, the twelve leads in their usual order, then any others."""
    if "repeat" in (before.quality.verdict, now.quality.verdict):
        return []
    old, new = before.measurements.st_j_mv, now.measurements.st_j_mv
    both = [lead for lead in in_standard_order(new) if lead in old]
    return [Difference("st", lead, old[lead], new[lead], ST_MV, "mV") for lead in both]


def _statements(before: Findings, now: Findings, signed: Collection[str] | None) -> list[Difference]:
    old = {statement.code for statement in before.statements} - _UNCOUNTED
    new = {statement.code for statement in now.statements} - _UNCOUNTED
    known = old if signed is None else old | set(signed)
    stood = old if signed is None else old & set(signed)
    return [Difference("new", code) for code in in_report_order(new - known)] + [
        Difference("vanished", code) for code in in_report_order(stood - new)
    ]
