"""How does a report become a page?

The document goes to the typst template ``page.typ`` as one JSON value: text is data there and never markup. The result
is PDF/A-2b, made without network, from fonts of explicit places, and the same bytes for the same document.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import segno
import structlog
import typst

from ecg_center.contract.pressure import PressureFindings
from ecg_center.release.document import day_chart, day_words, labels, pressure_chart, pressure_words
from ecg_center.release.document.fonts import FontSet, Printable, packaged_fonts
from ecg_center.release.document.model import Day, ReportDocument, Trace
from ecg_center.release.document.trace import MIN_LAST_S, WIDTH_MM, draw

TEMPLATE = Path(__file__).with_name("page.typ")
PDF_STANDARD: Literal["a-2b"] = "a-2b"
"""ISO 19005-2: allows what signatures need; level b is what archives ask for (part 3 adds attachments, unused)."""

COLUMNS = (5.2, 2.2, 3.0, 5.2, 2.6, 5.2)
"""Shares of the page's width for the six columns of particulars."""
DAY_ROW_MM = 25
"""The height of one lead of a strip of a day: two leads, three strips a page."""
Say = Callable[[str], str]

log = structlog.get_logger(__name__)


class MissingGlyphsError(Exception):
    """The fonts lack characters of the report; add a folder of fonts that have them."""

    def __init__(self, codes: set[int]) -> None:
        self.codes = frozenset(codes)
        listed = ", ".join(f"U+{code:04X}" for code in sorted(codes)[:20])
        super().__init__(f"no glyph for {listed}; add a folder of fonts that have them")


def render(
    document: ReportDocument, fonts: FontSet | None = None, *, missing: Literal["mark", "refuse"] = "mark"
) -> bytes:
    """The report as PDF/A-2b, landscape A4, true to scale; unsigned.

    Args:
        document: everything on the page.
        fonts: the wheel's Noto Sans CJK where None.
        missing: a character without glyph is printed as ``[U+2CB4E]`` and logged, or the report is refused.

    Raises:
        MissingGlyphsError: with ``missing="refuse"``.
    """
    fonts = fonts or packaged_fonts()
    printable = Printable(fonts)
    data = page_data(document, printable)
    if printable.missing:
        if missing == "refuse":
            raise MissingGlyphsError(printable.missing)
        log.warning(
            "report_glyphs_missing",
            accession_number=document.accession_number,
            codes=[f"U+{code:04X}" for code in sorted(printable.missing)[:20]],
        )
    pdf = typst.compile(
        TEMPLATE.read_bytes(),
        font_paths=fonts.loaded(),
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(data, ensure_ascii=False)},
        format="pdf",
        pdf_standards=[PDF_STANDARD],
        timestamp=document.reported_at.replace(microsecond=0),  # typst takes whole seconds
    )
    assert isinstance(pdf, bytes)
    assert pdf.startswith(b"%PDF-1.7")
    return pdf


def unprintable(document: ReportDocument, fonts: FontSet | None = None) -> frozenset[int]:
    """The code points of the document that the page can only print as ``[U+…]``, so that a screen may warn early."""
    printable = Printable(fonts or packaged_fonts())
    page_data(document, printable)
    return frozenset(printable.missing)


def page_data(document: ReportDocument, printable: Printable) -> dict[str, Any]:
    """Everything that the template reads, each text made printable."""
    words = labels.WORDS[document.language]
    say = printable.line
    return {
        "language": document.language,
        "fonts": {"families": printable.fonts.families, "bold": printable.fonts.bold},
        "words": words,
        "title": say(document.title or _title(document)),
        "centre": say(document.centre),
        "member": say(document.member),
        "accession_number": say(document.accession_number),
        "columns": COLUMNS,
        "fields": _fields(document, say),
        "running": _running(document, say),
        "measurements": labels.measurement_rows(document.measurements, document.language) if document.trace else [],
        "opinion": [{"lines": printable.lines(text), "urgent": urgent} for text, urgent in document.opinion_lines],
        "conclusion": _conclusion(document),
        "signatories": [
            {
                "role": labels.ROLE[document.language][signatory.role],
                "name": say(signatory.name),
                "at": labels.moment(signatory.signed_at, document.time_zone),
            }
            for signatory in document.signatories
        ],
        "version": words["version"].format(version=document.version),
        "amendment": _amendment(document, say),
        "remark": printable.lines(document.remark) if document.remark else [],
        "url": say(document.verification_url) if document.verification_url else None,
        "qr": _qr(document.verification_url) if document.verification_url else None,
        "demo": document.demo,
        "chart": _chart(document, document.trace, say) if document.trace else None,
        "day": _day(document, document.day, say) if document.day else None,
        "pressure": _pressure(document, document.pressure, say) if document.pressure else None,
    }


def _title(document: ReportDocument) -> str:
    if document.day is not None:
        return day_words.WORDS[document.language]["title"]
    words = labels.WORDS if document.trace is not None else pressure_words.WORDS
    return words[document.language]["title"]


def _conclusion(document: ReportDocument) -> str:
    """正常心电图 of an ECG; of blood pressures alone 正常."""
    words = labels.CONCLUSION if document.trace is not None or document.day is not None else labels.OVERALL
    return words[document.language][document.conclusion]


def _fields(document: ReportDocument, say: Say) -> list[dict[str, Any]]:
    """Label and value of each particular, and how many of the page's columns it takes; two full rows."""
    patient, zone = document.patient, document.time_zone
    number_key, number = _patient_number(document)
    fields = [
        ("name", patient.name, 1),
        ("sex", labels.SEX[document.language][patient.sex], 1),
        ("age", patient.age, 1),
        ("department", patient.department, 1),
        ("bed", patient.bed, 1),
        (number_key, number, 1),
        ("accession_number", document.accession_number, 1),
        ("examined_at", labels.moment(document.examined_at, zone), 2),
        ("reported_at", labels.moment(document.reported_at, zone), 1),
        ("member", document.member, 2),
    ]
    assert sum(span for _, _, span in fields) == 2 * len(COLUMNS)
    words = labels.WORDS[document.language]
    return [
        {"label": words[key], "value": say(value) or labels.NOT_MEASURED, "span": span} for key, value, span in fields
    ]


def _patient_number(document: ReportDocument) -> tuple[str, str]:
    patient = document.patient
    if patient.inpatient_number and patient.outpatient_number:
        return "patient_number", f"{patient.inpatient_number} / {patient.outpatient_number}"
    if patient.outpatient_number:
        return "outpatient_number", patient.outpatient_number
    return ("inpatient_number", patient.inpatient_number) if patient.inpatient_number else ("patient_number", "")


def _running(document: ReportDocument, say: Say) -> str:
    """The line at the head of each further page, so that a loose sheet is never without its patient."""
    patient = document.patient
    sex = labels.SEX[document.language][patient.sex]
    return "  ".join([say(patient.name), sex, say(patient.age)])


def _amendment(document: ReportDocument, say: Say) -> dict[str, str] | None:
    if document.supersedes is None:
        return None
    words, old = labels.WORDS[document.language], document.supersedes
    note = words["supersedes"].format(
        version=old.version, released_at=labels.moment(old.released_at, document.time_zone)
    )
    return {"note": note, "reason": say(old.reason)}


def _day(document: ReportDocument, day: Day, say: Say) -> dict[str, Any]:
    words, zone = day_words.WORDS[document.language], document.time_zone
    hours = day_words.grouped(day.figures.hours)
    chart = day_chart.draw(hours, day_words.clocks(day, hours, zone)) if hours else None
    notes = [words["edited"].format(n=day.figures.edits)] if day.figures.edits else []
    return {
        "chart": None
        if chart is None
        else {
            "svg": chart.svg,
            "width_mm": WIDTH_MM,
            "height_mm": day_chart.HEIGHT_MM,
            "words": [
                {"text": say(one.text), "x": one.x_mm, "y": one.y_mm, "middle": one.middle} for one in chart.words
            ],
        },
        "figures": day_words.figures(day, document.language, zone),
        "notes": notes if day.started_at else [*notes, words["elapsed"]],
        "hourly": day_words.hourly(day, document.language, zone) if hours else None,
        "strips_title": words["strips"],
        "strips": [
            {
                **{key: say(text) for key, text in day_words.caption(day, strip, document.language, zone).items()},
                "chart": _chart(document, strip.trace, say, height_mm=DAY_ROW_MM * len(strip.trace.leads)),
            }
            for strip in day.strips
        ],
    }


def _pressure(document: ReportDocument, found: PressureFindings, say: Say) -> dict[str, Any]:
    words = pressure_words.WORDS[document.language]
    chart = pressure_chart.draw(found, words["night_mark"], words["pulse_unit"])
    return {
        "svg": chart.svg,
        "width_mm": pressure_chart.WIDTH_MM,
        "height_mm": pressure_chart.HEIGHT_MM,
        "words": [{"text": say(one.text), "x": one.x_mm, "y": one.y_mm, "align": one.align} for one in chart.words],
        "caption": [say(line) for line in pressure_words.caption(found, document.language, document.time_zone)],
        "averages": pressure_words.averages(found, document.language),
        "figures_title": words["figures"],
        "figures": pressure_words.figures(found, document.language),
        "by_day": pressure_words.by_day(found, document.language, document.time_zone),
        "list": pressure_words.listed(found, document.language, document.time_zone),
    }


def _chart(document: ReportDocument, trace: Trace, say: Say, height_mm: int | None = None) -> dict[str, Any]:
    chart, words = draw(trace, height_mm), labels.WORDS[document.language]
    filters = words["filters"].format(filters=trace.filters) if trace.filters else words["raw"]
    caption = [
        f"{trace.speed_mm_per_s:g} mm/s",
        f"{trace.gain_mm_per_mv:g} mm/mV",
        say(filters),
        words["sampling"].format(hz=f"{trace.sampling_hz:g}"),
    ]
    whole_s = trace.samples.shape[1] / trace.sampling_hz
    if whole_s - (chart.end_s - trace.start_s) >= MIN_LAST_S:
        caption.append(words["part"].format(start=f"{trace.start_s:g}", end=f"{chart.end_s:g}", whole=f"{whole_s:.0f}"))
    return {
        "svg": chart.svg,
        "width_mm": WIDTH_MM,
        "height_mm": chart.height_mm,
        "labels": [{"text": say(label.text), "x": label.x_mm, "y": label.y_mm} for label in chart.labels],
        "caption": caption,
        "warning": words["clipped"].format(leads=say(", ".join(chart.clipped))) if chart.clipped else None,
    }


@lru_cache(maxsize=64)
def _qr(url: str) -> str:
    """The QR symbol (ISO/IEC 18004, error correction M or better) as SVG."""
    return str(segno.make(url, error="m", micro=False).svg_inline(border=2, omitsize=True, dark="#10141a"))
