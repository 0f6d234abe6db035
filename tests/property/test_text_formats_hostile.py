"""Bytes of the XML, text and JSON formats, mutated: a recording or a named error, soon, whatever they are."""

import json
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent.parent / "unit" / "worker" / "formats"))

from aecg_files import aecg, sequence_set, series, slist
from muse_files import lead, muse, waveform
from sierra_files import TWELVE, compressed, sierra
from test_cardiosoft_xml import block, cardiosoft, full_disclosure, measured, values
from test_csv_text import DECLARED
from test_pressure_formats import CSV, FHIR, HL7, JSON
from test_writing_dicom_aecg_fhir import recording

from worker.formats import pressure, read
from worker.formats.errors import UnreadableRecording
from worker.formats.pressure_columns import PressureMap
from worker.formats.pressure_xml import read_mapped
from worker.formats.write import WRITERS

SHORT = values(60)
XML_MAP = PressureMap(
    {"at": "@time", "systolic": "Sys", "diastolic": "Dia", "patient_name": "Name"}, reading="Measurement"
)
SEEDS = {
    "muse": muse(
        waveform("Median", [lead("I", SHORT[0])]), waveform("Rhythm", [lead("I", SHORT[0]), lead("II", SHORT[1])])
    ),
    "aecg": aecg(series(sequence_set({"MDC_ECG_LEAD_I": slist(SHORT[0]), "MDC_ECG_LEAD_II": slist(SHORT[1])}))),
    "aecg-written": WRITERS["aecg"].write(recording(n=60, leads=("I", "V1")), "x")["x.xml"],
    "philips": sierra(compressed(dict(zip(TWELVE, SHORT, strict=True))), n=60),
    "cardiosoft": cardiosoft(measured(block("MedianSamples", SHORT)), block("StripData", SHORT)),
    "cardiosoft-full": cardiosoft(full_disclosure(SHORT)),
    "csv": DECLARED.format(unit="mV").encode(),
    "fhir": WRITERS["fhir"].write(recording(n=60, leads=("I", "V1")), "x")["x.json"],
}
PRESSURES = {
    "csv": CSV.encode(),
    "json": json.dumps(JSON).encode(),
    "fhir": json.dumps(FHIR).encode(),
    "hl7": HL7.encode(),
}
TOKENS = (
    b"", b"\0", b"<", b">", b"</", b"&#x0;", b"&lt;", b"&a;", b"]]>", b"<!--", b"-", b"9" * 30, b"1e309", b"NaN", b"-1",
    b"0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b",", b"|", b"[" * 40, b"{", b"\r", b"\xb0\xa1", b"." * 5, b"=",
)  # fmt: skip


@st.composite
def mutated(draw, seeds):
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        stop = min(len(data), at + draw(st.integers(0, 40)))
        how = draw(st.sampled_from(("cut", "drop", "twice", "token", "byte", "swap")))
        if how == "cut":
            data = data[:at]
        elif how == "drop":
            data = data[:at] + data[stop:]
        elif how == "twice":
            data = data[:stop] + data[at:]
        elif how == "token":
            data = data[:at] + draw(st.sampled_from(TOKENS)) + data[stop:]
        elif how == "byte":
            data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
        else:
            other = draw(st.integers(0, len(data)))
            data = data[:at] + data[other : other + 40] + data[at:]
    return data


def tried(reader, data):
    """Run the reader; what it refuses it refuses by a name of its own, not by the net under all readers."""
    started = time.perf_counter()
    refused = None
    try:
        reader(data)
    except UnreadableRecording as error:
        refused = error
    assert time.perf_counter() - started < 2
    assert refused is None or (str(refused) and "contradicts itself (" not in str(refused)), repr(refused.__cause__)


relaxed = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("name", SEEDS)
def test_seeds_are_read(name):
    assert read(SEEDS[name]).n_samples


@pytest.mark.parametrize("name", SEEDS)
def test_recordings(name):
    @relaxed
    @given(mutated([SEEDS[name]]))
    def run(data):
        tried(read, data)

    run()


@pytest.mark.parametrize("name", PRESSURES)
def test_pressures(name):
    @relaxed
    @given(mutated([PRESSURES[name]]))
    def run(data):
        tried(pressure.read, data)

    run()


def test_pressures_in_a_vendors_xml():
    one = b"<Measurement time='2024-02-29T07:08:00'><Sys>120</Sys><Dia>80</Dia></Measurement>"
    seed = b"<Report><Name>x</Name>" + one + b"</Report>"

    @relaxed
    @given(mutated([seed]))
    def run(data):
        tried(lambda some: read_mapped(some, XML_MAP), data)

    run()
