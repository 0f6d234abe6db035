"""What stands above every page that ``ecg-worker read --plot`` draws? Whose it is, how grave, and what is said."""

from datetime import datetime
from typing import Final

from ecg_center.contract.findings import Findings, Grade, Statement
from ecg_center.contract.upload import RecordingIdentity
from ecg_center.domain.statements import TERMS
from worker import drawing as d
from worker.describe import evidence_line
from worker.recording import Device

MARGIN_MM: Final = 8.0
RULE_MM: Final = 19.5
"""Where the line below the name stands."""
NAME_MM: Final = 170.0
GRADES: Final[dict[Grade, str]] = {
    "critical": "#b4060f", "major": "#c2580a", "abnormal": "#8a6d00", "normal": "#1b7f4d",
}  # fmt: skip
CERTAINTIES: Final = {"definite": "●", "probable": "◐", "possible": "○"}
MAX_EVIDENCE: Final = 3


def heading(
    who: RecordingIdentity, device: Device, started_at: datetime | None, form: str, findings: Findings, right: float
) -> list[str]:
    """Patient, time and device on the left; the grade, and that nobody has confirmed it, on the right."""
    born = who.birth_date or (f"{who.age_years:g} y" if who.age_years is not None else "")
    name = " · ".join(filter(None, (who.patient_name, who.sex, str(born), who.patient_id))) or form
    machine = " ".join(filter(None, (device.manufacturer, device.model)))
    start = started_at.strftime("%Y-%m-%d %H:%M:%S") if started_at else ""
    about = " · ".join(filter(None, (start, machine, who.accession_number)))
    grade, width = d.chip(0, 0, findings.grade.upper(), GRADES[findings.grade], size=3.6)
    said = f"预读, 未经医师确认 · unconfirmed pre-read by {findings.engine} {findings.engine_version}"
    return [
        d.text(MARGIN_MM, 11, d.fitted(name, 5.4, NAME_MM), size=5.4, strong=True),
        d.text(MARGIN_MM, 16.5, d.fitted(about, 3.2, NAME_MM), fill=d.SOFT),
        f'<g transform="translate({right - width:.2f} 10.6)">{grade}</g>',
        d.text(right - width - 4, 10.6, said, fill=d.SOFT, anchor="end"),
        d.line(MARGIN_MM, RULE_MM, right, RULE_MM, d.RULE, 0.25),
    ]


def statements(findings: Findings, left: float, right: float) -> tuple[list[str], float]:
    """Critical values, statements with their evidence, quality, what the device said; and where they end."""
    parts, y = [], RULE_MM + 1
    for value in findings.critical:
        y += 6
        parts.append(d.rect(left - 2, y - 4.2, right - left + 2, 6, GRADES["critical"], round_mm=1))
        words = f"危急值 CRITICAL  {value.title_zh}  {value.title_en}  [{value.rule_set}]"
        parts.append(d.text(left, y, d.fitted(words, 3.6, right - left), size=3.6, fill="#fff", strong=True))
    y += 1.5 if findings.critical else 0
    for statement in findings.statements:
        more, y = _statement(statement, left, right, y + 5.8)
        parts += more
    for words in (_quality(findings), _device(findings), *findings.warnings):
        for number, part in enumerate(d.wrapped(words, 2.7, right - left) if words else []):
            y += 4.6 if number == 0 else 3.6
            parts.append(d.text(left, y, part, size=2.7, fill=d.SOFT))
    return parts, y


def _statement(statement: Statement, left: float, right: float, y: float) -> tuple[list[str], float]:
    term = TERMS[statement.code]
    said = f"{CERTAINTIES[statement.certainty]} {term.zh}"
    english = f"{term.en} · {statement.code} · {statement.certainty}"
    at = left + d.width_of(said, 4.0) + 3
    parts = [
        d.text(left, y, said, size=4.0, strong=True),
        d.text(at, y, d.fitted(english, 3.2, right - at), fill=d.SOFT),
    ]
    for item in statement.evidence[:MAX_EVIDENCE]:
        y += 3.7
        parts.append(d.text(left + 5.5, y, d.fitted(evidence_line(item), 2.7, right - left - 6), size=2.7, fill=d.SOFT))
    return parts, y


def _quality(findings: Findings) -> str:
    quality = findings.quality
    bad = [f"{one.lead} {one.verdict} ({', '.join(one.reasons)})" for one in quality.leads if one.verdict != "good"]
    if quality.verdict == "usable" and not bad:
        return ""
    return " · ".join(filter(None, [f"质量 quality {quality.verdict}", quality.advice_en, *bad]))


def _device(findings: Findings) -> str:
    return f"仪器诊断 device says: {' · '.join(findings.device_statements)}" if findings.device_statements else ""
