"""What a report says."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from ecg_center.contract.findings import Measurements
from ecg_center.contract.holter import HolterFindings, ReportStrip
from ecg_center.contract.pressure import PressureFindings
from ecg_center.domain.statements import TERMS

MAX_STATEMENTS = 40
"""A resting ECG rarely has ten, a day of ECG and of pressures together some twenty-five; the report goes on to a second
page."""
MAX_STRIPS = 24
"""Eight pages."""

Conclusion = Literal["normal", "borderline", "suspicious", "abnormal"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]


class ReportContent(BaseModel):
    """The physician's words and the numbers they stand by; frozen at release."""

    model_config = ConfigDict(extra="forbid")

    statements: Annotated[list[str], Field(max_length=MAX_STATEMENTS)] = []
    """Codes of ``domain.statements``, in report order."""
    text: Text = ""
    """诊断意见 in free words, below the statements."""
    urgent_finding: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    """Printed on the second line of the report."""
    conclusion: Conclusion | None = None
    measurements: Measurements = Measurements()
    holter: HolterFindings | None = None
    """The figures of a day as they stood when the writer signed; a draft has none of its own."""
    strips: Annotated[list[ReportStrip], Field(max_length=MAX_STRIPS)] | None = None
    """The strips of a day that are printed; None for the usual ones."""
    pressure: PressureFindings | None = None
    """The figures of an ambulatory blood pressure as they stood when the writer signed; a draft has none of its own."""
    remark: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""

    @field_validator("statements")
    @classmethod
    def _known(cls, codes: list[str]) -> list[str]:
        if unknown := [code for code in codes if code not in TERMS]:
            raise ValueError(f"unknown statement code {unknown[0]}")
        return list(dict.fromkeys(codes))


class OpinionForm(BaseModel):
    """初步诊断意见: what the clinic has to know within ten minutes."""

    model_config = ConfigDict(extra="forbid")

    statements: Annotated[list[str], Field(max_length=MAX_STATEMENTS)] = []
    text: Text = ""
    advice: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    """What to do now, e.g. transfer to the chest-pain centre."""

    @field_validator("statements")
    @classmethod
    def _known(cls, codes: list[str]) -> list[str]:
        if unknown := [code for code in codes if code not in TERMS]:
            raise ValueError(f"unknown statement code {unknown[0]}")
        return list(dict.fromkeys(codes))
