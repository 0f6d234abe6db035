"""What did the device itself say in an aECG? (aECG Implementation Guide, chapter AnnotationSet; ISO/IEEE 11073-10102)

Annotations nest: a beat holds its waves, an interpretation its statements. One with a region of interest in time is a
mark in the signal; one with a quantity and no lead is a measurement; text under MDC_ECG_INTERPRETATION is a statement.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from worker.formats import fields as f
from worker.formats.xml_reader import Element, as_number
from worker.recording import Annotation

_MEASUREMENTS: Final = {
    "MDC_ECG_HEART_RATE": "heart_rate_bpm", "MDC_ECG_HEART_RATE_VENTRICULAR": "heart_rate_bpm",
    "MDC_ECG_HEART_RATE_ATRIAL": "atrial_rate_bpm", "MDC_ECG_TIME_PD_P": "p_ms", "MDC_ECG_TIME_PD_PR": "pr_ms",
    "MDC_ECG_TIME_PD_PQ": "pr_ms", "MDC_ECG_TIME_PD_QRS": "qrs_ms", "MDC_ECG_TIME_PD_QT": "qt_ms",
    "MDC_ECG_TIME_PD_QTC": "qtc_ms", "MDC_ECG_TIME_PD_QTCB": "qtc_ms", "MDC_ECG_TIME_PD_RR": "rr_mean_ms",
    "MDC_ECG_TIME_PD_RR_GL": "rr_mean_ms", "MDC_ECG_ANGLE_P_FRONT": "p_axis_deg",
    "MDC_ECG_ANGLE_QRS_FRONT": "qrs_axis_deg", "MDC_ECG_ANGLE_T_FRONT": "t_axis_deg",
    "MINDRAY_ECG_P_AXIS": "p_axis_deg", "MINDRAY_ECG_QRS_AXIS": "qrs_axis_deg", "MINDRAY_ECG_T_AXIS": "t_axis_deg",
    "MINDRAY_ECG_TIME_PD_QTCH": "qtc_hodges_ms", "MINDRAY_ECG_RV5": "rv5_mv", "MINDRAY_ECG_SV1": "sv1_mv",
}  # fmt: skip
_SCALES: Final = {
    "_ms": {"ms": 1.0, "s": 1e3, "us": 1e-3, "": 1.0},
    "_mv": {"mV": 1.0, "uV": 1e-3, "": 1.0},
    "_deg": {"deg": 1.0, "": 1.0},
    "_bpm": {"bpm": 1.0, "/min": 1.0, "1/min": 1.0, "{H.B.}/min": 1.0, "{beats}/min": 1.0, "Hz": 60.0, "": 1.0},
}
"""Ending of our name: UCUM unit, and what one of it is in ours."""
_TIMES_MS: Final = {"s": 1e3, "ms": 1.0, "us": 1e-3, "": 1.0}
_WAVES: Final = {
    "MDC_ECG_WAVC_PWAVE": "P wave", "MDC_ECG_WAVC_QRSWAVE": "QRS", "MDC_ECG_WAVC_TWAVE": "T wave",
    "MDC_ECG_WAVC_UWAVE": "U wave", "MDC_ECG_WAVC_QRSTWAVE": "QRS-T",
}  # fmt: skip
_INTERPRETATION: Final = "MDC_ECG_INTERPRETATION"
OWN_MEASUREMENT: Final = "ECG_CENTER_"
"""How the codes begin under which our own writer writes measurements that MDC has no code for."""
NOT_MEASURED: Final = "NOT_MEASURED"
"""The code under which our own writer notes a gap."""


@dataclass
class Said:
    """What the annotation sets of a recording say."""

    measurements: dict[str, float] = field(default_factory=dict)
    statements: tuple[str, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    gaps: tuple[tuple[float, float, tuple[str, ...]], ...] = ()
    """Start and end in seconds, and the codes of the leads."""


def annotated(series: Element, root: Element, begins: datetime | None, head_s: float) -> Said:
    """Measurements, statements and marks.

    Args:
        series: the rhythm; marks are taken from its own annotation sets alone.
        root: the document; measurements and statements are taken from every annotation set.
        begins: the time of the first sample.
        head_s: the relative time of the first sample.
    """
    said = Said()
    statements: list[str] = []
    for annotation_set in root.iter("annotationSet"):
        for annotation in _children(annotation_set):
            _gather(annotation, said.measurements, statements)
    marks: list[Annotation] = []
    gaps: list[tuple[float, float, tuple[str, ...]]] = []
    for subject in series.all("subjectOf"):
        for annotation_set in subject.all("annotationSet"):
            for annotation in _children(annotation_set):
                if _code(annotation) == NOT_MEASURED and len(gaps) < f.MAX_ANNOTATIONS:
                    gaps += _gap(annotation, begins, head_s)
                elif len(marks) < f.MAX_ANNOTATIONS:
                    marks += _marks(annotation, begins, head_s)
    said.gaps = tuple(gaps)
    said.annotations = tuple(sorted(marks[: f.MAX_ANNOTATIONS], key=lambda mark: mark.start_s))
    said.statements = tuple(dict.fromkeys(statements))[: f.MAX_STATEMENTS]
    return said


def _children(element: Element) -> list[Element]:
    return [annotation for component in element.all("component") for annotation in component.all("annotation")]


def _code(element: Element | None) -> str:
    code = element.find("code") if element is not None else None
    return code.get("code") if code is not None else ""


def _gather(annotation: Element, measurements: dict[str, float], statements: list[str]) -> None:
    """Measurements of the whole recording and statements; what belongs to one lead or one beat is passed by."""
    code, value = _code(annotation), annotation.find("value")
    if code == "MDC_ECG_BEAT" or _of_a_lead(annotation):
        return
    if value is not None and (name := _MEASUREMENTS.get(code.upper())):
        scale = _SCALES[f"_{name.rpartition('_')[2]}"].get(value.get("unit"))
        number = as_number(value.get("value"))
        f.note(measurements, name, number * scale if number is not None and scale is not None else None)
    elif value is not None and code.startswith(OWN_MEASUREMENT):
        f.note(measurements, code.removeprefix(OWN_MEASUREMENT), as_number(value.get("value")))
    elif value is not None and code.startswith((_INTERPRETATION, "MDC_ECG_RHY")):
        text = " ".join(value.text.split()) or value.get("displayName")
        statements += [text[:500]] if text else []
    for inner in _children(annotation):
        _gather(inner, measurements, statements)


def _boundaries(annotation: Element) -> Iterator[Element]:
    for support in annotation.all("support"):
        yield from support.iter("boundary")


def _of_a_lead(annotation: Element) -> bool:
    return any(_code(boundary).startswith("MDC_ECG_LEAD") for boundary in _boundaries(annotation))


def _marks(annotation: Element, begins: datetime | None, head_s: float) -> list[Annotation]:
    marks: list[Annotation] = []
    waiting = [annotation]
    while waiting and len(marks) < f.MAX_ANNOTATIONS:
        one = waiting.pop()
        waiting.extend(reversed(_children(one)))
        if _code(one).upper() in _MEASUREMENTS:
            continue
        for boundary in _boundaries(one):
            if _code(boundary).startswith("TIME_") and (times := _times(boundary, begins, head_s)):
                marks.append(Annotation(_label(one), times[0], times[1] if len(times) > 1 else None))
    return marks


def _gap(annotation: Element, begins: datetime | None, head_s: float) -> list[tuple[float, float, tuple[str, ...]]]:
    boundaries = list(_boundaries(annotation))
    leads = tuple(_code(boundary) for boundary in boundaries if not _code(boundary).startswith("TIME_"))
    times = [_times(boundary, begins, head_s) for boundary in boundaries if _code(boundary).startswith("TIME_")]
    return [(ends[0], ends[1], leads) for ends in times if len(ends) == 2 and leads]


def _label(annotation: Element) -> str:
    value = annotation.find("value")
    code = (value.get("code") if value is not None else "") or _code(annotation)
    shown = value.get("displayName") if value is not None else ""
    return (_WAVES.get(code) or shown or code.removeprefix("MDC_ECG_").removeprefix("WAVC_"))[:100]


def _times(boundary: Element, begins: datetime | None, head_s: float) -> list[float]:
    """Seconds from the first sample: of both ends where both are known, else of the one that is."""
    value = boundary.find("value")
    if value is None:
        return []
    ends = [end for tag in ("low", "center", "high") if (end := value.find(tag)) is not None] or [value]
    absolute = _code(boundary) == "TIME_ABSOLUTE"
    found = [_seconds(end, absolute, begins, head_s) for end in ends]
    return [seconds for seconds in found if seconds is not None and abs(seconds) < 1e8][:2]


def _seconds(end: Element, absolute: bool, begins: datetime | None, head_s: float) -> float | None:
    if absolute:
        time = f.instant(end.get("value"))
        return (time - begins).total_seconds() if time is not None and begins is not None else None
    number = as_number(end.get("value"))
    scale = _TIMES_MS.get(end.get("unit"))
    return number * scale / 1000 - head_s if number is not None and scale is not None else None
