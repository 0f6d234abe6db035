"""One real report, and the means to measure what came out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pypdf import PdfReader
from pypdf.generic import ContentStream

from ecg_center.contract.findings import Measurements
from ecg_center.domain.statements import Overall
from ecg_center.release.document.model import Patient, ReportDocument, Signatory, Trace
from ecg_center.signing.authority import Credential, DemoAuthority

CHINA = timezone(timedelta(hours=8))
MM = 72 / 25.4


def real_trace(**changes: Any) -> Trace:
    """The 12-lead ECG that pydicom carries: 10 s at 1000 Hz."""
    path = get_testdata_file("waveform_ecg.dcm")
    assert path is not None
    group = pydicom.dcmread(path).WaveformSequence[0]
    channels = group.ChannelDefinitionSequence
    shape = (group.NumberOfWaveformSamples, group.NumberOfWaveformChannels)
    names = (c.ChannelSourceSequence[0].CodeMeaning.removeprefix("Lead ").split(" (")[0] for c in channels)
    values: dict[str, Any] = {
        "leads": tuple(names),
        "samples": np.frombuffer(group.WaveformData, dtype="<i2").reshape(shape).T,
        "uv_per_lsb": tuple(float(c.ChannelSensitivity) for c in channels),
        "sampling_hz": float(group.SamplingFrequency),
        "filters": "0.05–150 Hz",
    }
    return Trace(**(values | changes))


def report(**changes: Any) -> ReportDocument:
    """A report of a demo patient, any field of it changed."""
    values: dict[str, Any] = {
        "centre": "青川县人民医院区域心电诊断中心",
        "member": "青川县木鱼镇中心卫生院",
        "patient": Patient("张㛃（演示）", "F", "63岁", "急诊科", "12", "ZY20250012"),
        "accession_number": "EC250503000127",
        "examined_at": datetime(2025, 5, 3, 8, 7, tzinfo=CHINA),
        "reported_at": datetime(2025, 5, 3, 8, 31, tzinfo=CHINA),
        "measurements": Measurements(
            heart_rate_bpm=73, p_ms=104, pr_ms=162, qrs_ms=92, qt_ms=388, qtc_ms=428, qrs_axis_deg=-12, rv5_mv=1.52
        ),
        "trace": real_trace(),
        "opinion": ("窦性心律，心率 73 次/分", "P-R 间期正常", "左心室高电压"),
        "urgent_finding": "急性下壁心肌梗死可能：II、III、aVF 导联 ST 段抬高 0.2 mV",
        "conclusion": Overall.ABNORMAL,
        "signatories": (
            Signatory("reporting", "王复直", datetime(2025, 5, 3, 8, 25, tzinfo=CHINA)),
            Signatory("reviewing", "李骨角", datetime(2025, 5, 3, 8, 31, tzinfo=CHINA)),
        ),
        "remark": "本报告仅供临床医师参考。",
        "verification_url": "https://ecg.example.org/v/EC250503000127-1-9f3a7c",
        "demo": True,
    }
    return ReportDocument(**(values | changes))


@pytest.fixture(scope="session")
def make_report() -> Callable[..., ReportDocument]:
    return report


@pytest.fixture(scope="session")
def make_trace() -> Callable[..., Trace]:
    return real_trace


@dataclass(frozen=True)
class Ca:
    authority: DemoAuthority
    writer: Credential
    reviewer: Credential

    @property
    def root(self) -> bytes:
        return self.authority.certificate_pem


@pytest.fixture(scope="session")
def ca() -> Ca:
    now = datetime.now(UTC)
    authority = DemoAuthority.create("县域医共体", "root", now)

    def issue(name: str, number: str) -> Credential:
        return authority.issue(
            name, number, "青川县人民医院", authority_passphrase="root", passphrase=f"{number}!", now=now
        )

    return Ca(authority, issue("王复直", "0012"), issue("李骨角", "0013"))


Point = tuple[float, float]


@pytest.fixture(scope="session")
def read_paths() -> Callable[[bytes, int], list[list[Point]]]:
    """Every subpath that a page of the PDF draws, in millimetres from the page's upper left corner."""
    return lambda pdf, page=0: list(_paths(PdfReader(BytesIO(pdf)), page))


def _paths(reader: PdfReader, number: int) -> Iterator[list[Point]]:
    page = reader.pages[number]
    height = float(page.mediabox.height)
    for path in _walk(reader, ContentStream(page.get_contents(), reader), page["/Resources"], np.eye(3)):
        yield [(x / MM, (height - y) / MM) for x, y in path]


def _walk(reader: PdfReader, stream: ContentStream, resources: Any, matrix: Any) -> Iterator[list[Point]]:
    stack: list[Any] = []
    path: list[Point] = []
    for operands, operator in stream.operations:
        if operator == b"q":
            stack.append(matrix)
        elif operator == b"Q":
            matrix = stack.pop()
        elif operator == b"cm":
            matrix = _matrix(operands) @ matrix
        elif operator in {b"m", b"l"}:
            x, y, _ = np.array([float(operands[0]), float(operands[1]), 1.0]) @ matrix
            if operator == b"m" and path:
                yield path
                path = []
            path.append((float(x), float(y)))
        elif operator in {b"S", b"s", b"f", b"f*", b"n", b"B", b"W", b"W*"} and path:
            yield path
            path = []
        elif operator == b"Do":
            form = resources["/XObject"][operands[0]].get_object()
            if form["/Subtype"] == "/Form":
                inner = _matrix(form.get("/Matrix", [1, 0, 0, 1, 0, 0])) @ matrix
                yield from _walk(reader, ContentStream(form, reader), form.get("/Resources", resources), inner)


def _matrix(operands: Any) -> Any:
    a, b, c, d, e, f = (float(value) for value in operands)
    return np.array([[a, b, 0], [c, d, 0], [e, f, 1]])
