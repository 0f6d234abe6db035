import os
import time
import tracemalloc
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_objects import as_bytes, channel, code, group, noise, twelve, waveform_object
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from worker.formats import errors, read
from worker.formats.dicom_text import Texts

warnings.filterwarnings("ignore", module="pydicom")
FILES = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "formats" / "dicom"
CARRIED = Path(pydicom.data.get_testdata_file("waveform_ecg.dcm"))


def real_files():
    return [CARRIED, *sorted(FILES.glob("*.dcm"))]


def oracle(data, number=0):
    """(n_leads, n_samples) µV by pydicom."""
    return pydicom.dcmread(BytesIO(data), force=True).waveform_array(number).T


@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.name)
def test_real_files_agree_with_pydicom_to_the_last_bit(path):
    recording = read(path)
    np.testing.assert_array_equal(recording.microvolts(), oracle(path.read_bytes()))
    assert recording.leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert recording.calibrated
    assert recording.kind == "resting"
    assert not recording.derived
    assert recording.median_beat is not None
    assert recording.device_measurements["qrs_ms"] in (75, 120)


def test_real_file_identity_device_and_statements():
    recording = read(CARRIED)
    assert recording.identity.patient_id == "642341"
    assert recording.identity.sex == "F"
    assert recording.identity.birth_date == "1971-01-23"
    assert recording.identity.accession_number == "03028041970546"
    assert recording.started_at.isoformat() == "2013-01-25T10:59:19+08:00"
    assert recording.device.manufacturer == "Mortara Instrument, Inc."
    assert recording.device_statements == ("RITMO SINUSALE", "ECG NORMALE")
    assert recording.device_measurements["pr_ms"] == 161
    assert recording.filters.lowpass_hz == 300


def test_a_ten_second_file_decodes_in_under_five_milliseconds():
    data = as_bytes(waveform_object([group(noise(), twelve())]))
    best = min(timed(data) for _ in range(10))
    assert best < 0.005, f"{best * 1e3:.1f} ms"


def timed(data):
    start = time.perf_counter()
    read(data)
    return time.perf_counter() - start


@pytest.mark.parametrize("kind", ["SB", "UB", "SS", "US", "SL", "UL"])
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_every_sample_type_and_syntax_agrees_with_pydicom(kind, syntax):
    high = {"B": 100, "S": 30_000, "L": 8_000_000}[kind[1]]
    samples = noise(12, 999, high, low=0 if kind[0] == "U" else None)
    data = as_bytes(
        waveform_object([group(samples, twelve(sensitivity=1.25, correction=1.5, baseline=12.5), kind=kind)]), syntax
    )
    np.testing.assert_allclose(read(data).microvolts(), oracle(data), rtol=1e-14, atol=1e-9)


def test_big_endian():
    samples = noise(12, 100)
    item = group(samples, twelve())
    item.WaveformData = np.ascontiguousarray(samples.T.astype(">i2")).tobytes()
    data = as_bytes(waveform_object([item]), ExplicitVRBigEndian)
    np.testing.assert_array_equal(read(data).digital, samples)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_objects_without_the_part_10_header_are_recognised(syntax):
    samples = noise(12, 100)
    data = as_bytes(waveform_object([group(samples, twelve())]), syntax, part10=False)
    np.testing.assert_array_equal(read(data).digital, samples)


@pytest.mark.parametrize(("unit", "factor"), [("uV", 1), ("mV", 1000), ("V", 1e6), ("nV", 1e-3)])
def test_units_by_their_ucum_code(unit, factor):
    recording = read(as_bytes(waveform_object([group(noise(), twelve(unit=unit, sensitivity=0.005))])))
    assert recording.uv_per_lsb[0] == pytest.approx(0.005 * factor)


@pytest.mark.parametrize(("kind", "what"), [("MB", "mu-law"), ("AB", "A-law")])
def test_companded_samples_are_refused_by_name(kind, what):
    with pytest.raises(errors.UnsupportedRecording, match=what):
        read(as_bytes(waveform_object([group(np.abs(noise(12, 100, 100)), twelve(), kind=kind)])))


def test_missing_limb_leads_are_derived_and_marked():
    leads = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    recording = read(as_bytes(waveform_object([group(noise(8), [channel(lead) for lead in leads])])))
    assert recording.leads == (*leads, "III", "aVR", "aVL", "aVF")
    assert recording.derived == {"III", "aVR", "aVL", "aVF"}
    uv = dict(zip(recording.leads, recording.microvolts(), strict=True))
    np.testing.assert_array_equal(uv["aVF"], uv["II"] - uv["I"] / 2)


@pytest.mark.parametrize("bits", [12, 14, 15])
def test_samples_of_few_bits_without_sign_get_it_back(bits):
    samples = noise(2, 1000, 200)
    item = group(samples & ((1 << bits) - 1), [channel("I", stored=bits), channel("II", stored=bits)])
    recording = read(as_bytes(waveform_object([item])))
    np.testing.assert_array_equal(recording.digital[:2], samples)
    assert "sign" in recording.warnings[0]


def test_twelve_leads_hidden_in_a_hemodynamic_object():
    pressure = channel("Aorta", unit="mm[Hg]")
    samples = noise(13, 2000)
    slow = group(noise(1, 400, 50), [channel("RA pressure", unit="mm[Hg]")], hz=100, label="PRESSURE")
    data = as_bytes(
        waveform_object([slow, group(samples, [pressure, *twelve()])], sop_class="1.2.840.10008.5.1.4.1.1.9.2.1")
    )
    recording = read(data)
    np.testing.assert_array_equal(recording.digital, samples[1:])
    assert any("mm[Hg]" in warning for warning in recording.warnings)


def test_four_groups_of_three_leads_one_after_the_other_share_an_axis_with_gaps():
    leads = [("I", "II", "III"), ("aVR", "aVL", "aVF"), ("V1", "V2", "V3"), ("V4", "V5", "V6")]
    groups = [
        group(noise(3, 1250, seed=n), [channel(lead) for lead in names], offset_ms=2500 * n, label=f"G{n}")
        for n, names in enumerate(leads)
    ]
    recording = read(as_bytes(waveform_object(groups)))
    assert recording.n_samples == 5000
    np.testing.assert_array_equal(recording.digital[recording.row("V2"), 2500:3750], noise(3, 1250, seed=2)[1])
    assert [(gap.start, gap.stop) for gap in recording.gaps if gap.leads == ("V1",)] == [(0, 2500), (3750, 5000)]


def test_a_group_of_another_rate_is_left_out_and_said():
    other = group(noise(1, 8000), [channel("V7", coded=False)], hz=4000, label="SPIKES")
    recording = read(as_bytes(waveform_object([group(noise(), twelve()), other])))
    assert recording.sampling_hz == 500
    assert any("SPIKES" in warning for warning in recording.warnings)


def test_absurd_group_offsets_do_not_cost_memory():
    late = group(noise(1, 100), [channel("V7", coded=False)], offset_ms=10**12, label="LATE")
    tracemalloc.start()
    recording = read(as_bytes(waveform_object([group(noise(), twelve()), late])))
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
    assert recording.n_samples == 5000
    assert any("contradict" in warning for warning in recording.warnings)


def test_sample_skew_moves_a_lead_and_leaves_a_gap():
    samples = noise(2, 100)
    recording = read(as_bytes(waveform_object([group(samples, [channel("V1"), channel("V2", skew=5)])])))
    np.testing.assert_array_equal(recording.digital[1, 5:105], samples[1])
    assert {(gap.start, gap.stop, gap.leads) for gap in recording.gaps} == {(100, 105, ("V1",)), (0, 5, ("V2",))}


def test_padding_is_a_gap_only_where_it_is_an_extreme():
    samples = noise(12, 500)
    samples[3, 100:120] = -32768
    recording = read(as_bytes(waveform_object([group(samples, twelve(), padding=-32768)])))
    assert [(gap.start, gap.stop, gap.leads) for gap in recording.gaps] == [(100, 120, ("aVR",))]
    samples[3, 100:120] = 0
    assert read(as_bytes(waveform_object([group(samples, twelve(), padding=0)]))).gaps == ()


def test_missing_sensitivity_reads_but_says_that_amplitudes_are_unknown():
    recording = read(as_bytes(waveform_object([group(noise(), twelve(sensitivity=None))])))
    assert not recording.calibrated
    assert "amplitudes" in recording.warnings[0]


def test_fewer_samples_than_claimed_are_read_with_a_warning():
    item = group(noise(), twelve())
    item.NumberOfWaveformSamples = 6000
    recording = read(as_bytes(waveform_object([item])))
    assert recording.n_samples == 5000
    assert "claims 6000" in recording.warnings[0]


NAMES = [
    ("ISO_IR 192", "Wang^XiaoDong=王^小东", "王小东"),
    ("GB18030", "Wang^XiaoDong=王^小东", "王小东"),
    ("GBK", "Wang^XiaoDong=王^小东", "王小东"),
    (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎", "山田太郎"),
    (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞", "洪吉洞"),
    ("ISO_IR 100", "Müller^Jürgen", "Müller Jürgen"),
    ("ISO_IR 144", "Люк^ceмбypг", "Люк ceмбypг"),
    ("ISO_IR 6", "Doe^Jane", "Doe Jane"),
]


@pytest.mark.parametrize(("charset", "written", "expected"), NAMES, ids=lambda value: str(value)[:16])
def test_character_sets(charset, written, expected):
    data = as_bytes(waveform_object([group(noise(12, 10), twelve())], charset=charset, PatientName=written))
    assert read(data).identity.patient_name == expected


EXAMPLES = [  # PS3.5 annexes H, I, J and K, byte for byte
    ("\\ISO 2022 IR 58", b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=", "张小东"),
    ("\\ISO 2022 IR 149", b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=", "洪吉洞"),
    ("\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "山田太郎"),
    ("ISO 2022 IR 13\\ISO 2022 IR 87", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J", "山田太郎"),
    ("ISO_IR 192", b"Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1=", "王小東"),
    ("GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "王小东"),
]


@pytest.mark.parametrize(("charset", "raw", "expected"), EXAMPLES, ids=lambda value: str(value)[:16])
def test_the_standards_own_examples_of_names(charset, raw, expected):
    texts = Texts(charset)
    assert texts.name(raw) == expected
    assert texts.warnings == []


@given(
    st.binary(max_size=60),
    st.sampled_from(["", "ISO_IR 100", "GB18030", "\\ISO 2022 IR 87", "ISO 2022 IR 13", "nonsense"]),
)
def test_no_bytes_break_the_decoder(raw, charset):
    assert isinstance(Texts(charset).name(raw), str)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_without_a_declared_set_is_guessed_and_said(encoding):
    ds = waveform_object([group(noise(12, 10), twelve())], charset="ISO_IR 6", PatientName="X" * 12, PatientID="Q" * 8)
    data = as_bytes(ds).replace(b"X" * 12, "王小东".encode(encoding).ljust(12))
    recording = read(data)
    assert recording.identity.patient_name == "王小东"
    assert encoding.upper() in recording.warnings[-1]


def test_measurements_statements_and_marks():
    interval, text, mark, coded = Dataset(), Dataset(), Dataset(), Dataset()
    interval.ConceptNameCodeSequence = Sequence([code("2:16156", "MDC", "QRS duration")])
    interval.MeasurementUnitsCodeSequence = Sequence([code("s", "UCUM", "second")])
    interval.NumericValue = "0.096"
    text.UnformattedTextValue = "窦性心律"
    mark.ConceptNameCodeSequence = Sequence([code("5.10.3-3", "SCPECG", "QRS Onset")])
    mark.TemporalRangeType, mark.ReferencedSamplePositions = "POINT", [501]
    coded.ConceptCodeSequence = Sequence([code("X", "99", "Atrial fibrillation")])
    annotations = Sequence([interval, text, mark, coded])
    recording = read(as_bytes(waveform_object([group(noise(), twelve())], WaveformAnnotationSequence=annotations)))
    assert recording.device_measurements == {"qrs_ms": pytest.approx(96)}
    assert recording.device_statements == ("窦性心律", "Atrial fibrillation")
    assert [(note.label, note.start_s) for note in recording.annotations] == [("QRS Onset", 1.0)]


def test_ambulatory_objects_are_holters():
    data = as_bytes(
        waveform_object([group(noise(2), [channel("V1"), channel("V5")])], sop_class="1.2.840.10008.5.1.4.1.1.9.1.3")
    )
    assert read(data).kind == "holter"


def test_start_with_its_own_zone():
    data = as_bytes(waveform_object([group(noise(), twelve())], AcquisitionDateTime="20250102030405.250+0100"))
    assert read(data).started_at.isoformat() == "2025-01-02T03:04:05.250000+01:00"


def test_objects_without_waveforms_say_what_they_are():
    with pytest.raises(errors.NoWaveform, match="PDF"):
        read(as_bytes(waveform_object(None, sop_class="1.2.840.10008.5.1.4.1.1.104.1")))


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", errors.UnknownFormat, "empty"),
        (b"%PDF-1.7 ...", errors.UnknownFormat, "PDF"),
        (b"\x89PNG....", errors.UnknownFormat, "PNG"),
        (b"hello", errors.UnknownFormat, "no format"),
        (bytes(128) + b"DICM", errors.NoWaveform, "no waveform"),
    ],
)
def test_other_bytes_are_refused_with_a_hint(data, error, words):
    with pytest.raises(error, match=words):
        read(data)


SMALL = as_bytes(
    waveform_object(
        [group(noise(12, 20), twelve()), group(noise(12, 4), twelve(), label="MEDIAN BEAT", originality="DERIVED")]
    )
)


@pytest.mark.parametrize("cut", range(0, len(SMALL), 97))
def test_cut_files_are_refused_by_name(cut):
    try:
        read(SMALL[:cut])
    except errors.UnreadableRecording as error:
        assert str(error)  # noqa: PT017 - reading it is as good


def test_a_deflate_bomb_is_refused():
    import zlib

    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = b"".join(deflater.compress(bytes(1 << 20)) for _ in range(300)) + deflater.flush()
    head = as_bytes(waveform_object(None), DeflatedExplicitVRLittleEndian)
    meta_end = 132 + 12 + int.from_bytes(head[140:144], "little")
    tracemalloc.start()
    with pytest.raises(errors.TooLargeRecording):
        read(head[:meta_end] + bomb)
    assert tracemalloc.get_traced_memory()[1] < 200e6
    tracemalloc.stop()


def test_deep_nesting_is_refused():
    item, end = b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b""
    nested = (b"\x00\x54\x00\x01SQ\x00\x00\xff\xff\xff\xff" + item) * 5000 + end
    with pytest.raises(errors.UnreadableRecording):
        read(SMALL[:132] + SMALL[132 : 132 + 12 + int.from_bytes(SMALL[140:144], "little")] + nested)


@settings(max_examples=400, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=12),
    st.integers(0, 64),
)
def test_mutated_files_read_or_are_refused_by_name(changes, cut):
    data = bytearray(SMALL)
    for place, value in changes:
        data[place] = value
    try:
        recording = read(bytes(data[: len(data) - cut]))
    except errors.UnreadableRecording as error:
        assert str(error)  # noqa: PT017 - reading it is as good
    else:
        assert recording.microvolts().shape == recording.digital.shape
