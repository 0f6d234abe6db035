"""What does a released report's frozen content look like to the document?

The same JSON that reporting wrote (``reporting.schemas.ReportContent``), read here by its published shape so that the
two stages stay apart.
"""

from pydantic import BaseModel

from ecg_center.contract.findings import Measurements
from ecg_center.contract.holter import HolterFindings, ReportStrip
from ecg_center.contract.pressure import PressureFindings


class ReleasedContent(BaseModel):
    """The frozen content."""

    statements: list[str]
    text: str
    urgent_finding: str
    conclusion: str
    measurements: Measurements
    holter: HolterFindings | None = None
    strips: list[ReportStrip] | None = None
    pressure: PressureFindings | None = None
    remark: str
