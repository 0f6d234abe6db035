"""Any text in any field gives a page that has this text on it."""

import re
import shutil
import subprocess
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecg_center.contract.findings import Measurements
from ecg_center.domain.statements import Overall
from ecg_center.release.document.fonts import Printable, packaged_fonts
from ecg_center.release.document.model import Patient, ReportDocument, Signatory, Trace
from ecg_center.release.document.render import render

pytestmark = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext (poppler-utils)")

NOW = datetime(2025, 5, 3, 8, 7, tzinfo=UTC)
TRACE = Trace(("I", "II"), np.zeros((2, 500), np.int16), 1.0, 500.0)
COVERED = sorted(packaged_fonts().covered())
ANY = st.text(max_size=40)
SHOWN = st.text(st.sampled_from([chr(code) for code in COVERED if code >= 0x20]), max_size=60)
MARKUP = st.text(st.sampled_from("#[]{}()$*_`\\<>@/\"'=-+~%&^|;:,. \n\t窦性心律aVF"), max_size=60)
TEXT = st.one_of(ANY, SHOWN, MARKUP)


def seen(pdf: bytes) -> str:
    out = subprocess.run(["pdftotext", "-q", "-", "-"], input=pdf, capture_output=True, check=True)
    return squeeze(out.stdout.decode())


def squeeze(text: str) -> str:
    """Without white space, and without hyphens, which pdftotext takes for a divided word at a line's end."""
    return re.sub(r"[\s\u200b\-\u2010]+", "", text)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=TEXT,
    department=TEXT,
    opinion=st.lists(TEXT, max_size=4),
    remark=TEXT,
    physician=TEXT,
    language=st.sampled_from(["zh", "en"]),
)
def test_any_text_is_on_the_page(name, department, opinion, remark, physician, language):
    document = ReportDocument(
        centre=department,
        member=name,
        patient=Patient(name, "O", department, department, department, name),
        accession_number="A1",
        examined_at=NOW,
        reported_at=NOW,
        measurements=Measurements(),
        trace=TRACE,
        opinion=tuple(opinion),
        conclusion=Overall.NORMAL,
        signatories=(Signatory("reporting", physician, NOW),),
        remark=remark,
        language=language,
    )
    text = seen(render(document))
    printable = Printable(packaged_fonts())
    for value in (name, department, *opinion, remark, physician):
        for line in printable.lines(value):
            assert squeeze(line) in text
