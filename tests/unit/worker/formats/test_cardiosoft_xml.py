import numpy as np
import pytest

from worker.formats import errors, read

TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
HEAD = """
<ObservationType>RestECG</ObservationType>
<ObservationDateTime><Hour>7</Hour><Minute>8</Minute><Second>9</Second><Day>29</Day><Month>2</Month><Year>2024</Year>
</ObservationDateTime>
<ClinicalInfo><Technician><FamilyName>Müller</FamilyName><GivenName>D.</GivenName></Technician>
<DeviceInfo><Desc>CardioSoft</Desc><SoftwareVer>V6.73</SoftwareVer><AnalysisVer>12SL V21</AnalysisVer></DeviceInfo>
</ClinicalInfo>
<PatientVisit><ServicingFacility><Name>Clinic</Name></ServicingFacility><OrderNumber>A-17</OrderNumber></PatientVisit>
<PatientInfo><PID>001</PID><Name><FamilyName>Surname</FamilyName><GivenName>Name</GivenName></Name>
<Age units="YEARS">18</Age><BirthDateTime><Day>3</Day><Month>2</Month><Year>2006</Year></BirthDateTime>
<Gender>MALE</Gender></PatientInfo>
<FilterSetting><CubicSpline>No</CubicSpline><Filter50Hz>Yes</Filter50Hz><Filter60Hz>No</Filter60Hz>
<LowPass units="Hz">40</LowPass><HighPass units="Hz">0.01</HighPass></FilterSetting>
<Interpretation><Diagnosis><DiagnosisText>Sinus bradycardia</DiagnosisText><DiagnosisText></DiagnosisText></Diagnosis>
<Conclusion><ConclusionText>Abnormal ECG</ConclusionText></Conclusion></Interpretation>
"""


def values(n=500, rows=12):
    return np.random.default_rng(4).integers(-2000, 2000, (rows, n))


def block(tag, digital, names=TWELVE, resolution='<Resolution units="uVperLsb">4.88</Resolution>', rate=500, extra=""):
    leads = ""
    for name, row in zip(names, digital, strict=True):
        lines = ",\n\t\t\t".join(",".join(map(str, row[at : at + 300])) for at in range(0, len(row), 300))
        leads += f'<WaveformData lead="{name}">\t\t\t{lines}</WaveformData>'
    return (
        f'<{tag}><NumberOfLeads>{len(names)}</NumberOfLeads><SampleRate units="Hz">{rate}</SampleRate>'
        f"<ChannelSampleCountTotal>{len(digital[0])}</ChannelSampleCountTotal>{resolution}{leads}{extra}</{tag}>"
    )


def measured(median=""):
    return (
        '<RestingECGMeasurements><VentricularRate units="BPM">42</VentricularRate>'
        '<PQInterval units="ms">250</PQInterval>'
        '<QTCInterval units="ms">385</QTCInterval><SokolovLVHIndex units="mV"></SokolovLVHIndex>'
        f'<RAxis units="degrees">83</RAxis>{median}</RestingECGMeasurements>'
    )


def full_disclosure(digital, names=TWELVE, channels=None):
    text = ",".join(map(str, digital.T.ravel()))
    return (
        f"<FullDisclosure><NumberOfChannels>{channels or len(names)}</NumberOfChannels>"
        f"<SampleRate units='Hz'>500</SampleRate>"
        f"<Resolution units='uVperLsb'>5</Resolution><LeadOrder>{','.join(names)}</LeadOrder><FullDisclosureData>"
        f"<SampleCountTotal>{digital.shape[1]}</SampleCountTotal>{text},</FullDisclosureData></FullDisclosure>"
    )


def cardiosoft(*parts, encoding="ISO-8859-1"):
    return (
        f'<?xml version="1.0" encoding="{encoding}" ?>\n<CardiologyXML>{HEAD}{"".join(parts)}</CardiologyXML>'.encode(
            encoding
        )
    )


def test_strip_median_and_words():
    digital, median = values(), values(400)
    beats = "<Time units='ms'>120</Time><BeatClass>Dominant</BeatClass><Time units='ms'>980</Time>"
    beats = f"<ArrhythmiaResults>{beats}</ArrhythmiaResults>"
    recording = read(cardiosoft(measured(block("MedianSamples", median)), block("StripData", digital, extra=beats)))
    assert recording.format == "cardiosoft"
    assert recording.leads == TWELVE
    np.testing.assert_array_equal(recording.digital, digital)
    np.testing.assert_array_equal(recording.uv_per_lsb, [4.88] * 12)
    np.testing.assert_array_equal(recording.median_beat.digital, median)
    assert recording.sampling_hz == 500
    assert recording.started_at.isoformat() == "2024-02-29T07:08:09+08:00"
    assert recording.identity.accession_number == "A-17"
    assert recording.identity.patient_name == "Surname Name"
    assert recording.identity.birth_date == "2006-02-03"
    assert recording.device.technician == "Müller D."
    assert (recording.filters.highpass_hz, recording.filters.lowpass_hz, recording.filters.notch_hz) == (0.01, 40, 50)
    assert recording.device_measurements == {"heart_rate_bpm": 42, "pr_ms": 250, "qtc_ms": 385, "qrs_axis_deg": 83}
    assert recording.device_statements == ("Sinus bradycardia", "Abnormal ECG")
    assert [(mark.label, mark.start_s) for mark in recording.annotations] == [("Dominant", 0.12), ("QRS", 0.98)]
    assert recording.warnings == ()


def test_full_disclosure_alone_is_read_sample_by_sample():
    digital = values(300, 3)
    recording = read(cardiosoft(full_disclosure(digital, ("I", "2", "V5"))))
    assert recording.leads == ("I", "2", "V5")
    np.testing.assert_array_equal(recording.digital, digital)


def beating(seconds, rows, rate=500):
    """Smooth signals, as ECGs are, of different size in every lead."""
    time = np.arange(seconds * rate) / rate
    return np.stack(
        [np.rint((row + 1) * 300 * np.sin(2 * np.pi * (1 + row / 7) * time) ** 5) for row in range(rows)]
    ).astype(int)


@pytest.mark.parametrize("names", [("I", "2", "3"), TWELVE])
@pytest.mark.parametrize("seconds", [10, 11])
def test_full_disclosure_second_by_second(names, seconds):
    """CardioSoft 6.73 writes a second of the first lead, the same second of the next, and so on."""
    digital = beating(seconds, len(names))
    by_second = digital.reshape(len(names), seconds, 500).transpose(1, 0, 2).reshape(-1, len(names)).T
    recording = read(cardiosoft(full_disclosure(by_second, names)))
    np.testing.assert_array_equal(recording.digital[: len(names)], digital)
    assert any("second by second" in warning for warning in recording.warnings)
    plain = read(cardiosoft(full_disclosure(digital, names)))
    np.testing.assert_array_equal(plain.digital[: len(names)], digital)
    assert plain.warnings == ()


def test_full_disclosure_second_by_second_that_is_cut_within_a_second():
    digital = beating(5, 3)
    by_second = digital.reshape(3, 5, 500).transpose(1, 0, 2).reshape(-1)[: 4 * 1500 + 700]
    text = full_disclosure(by_second.reshape(-1, 1).T, ("I",)).replace("<LeadOrder>I<", "<LeadOrder>I,2,3<")
    recording = read(cardiosoft(text.replace("<NumberOfChannels>1<", "<NumberOfChannels>3<")))
    np.testing.assert_array_equal(recording.digital, digital[:, :2000])
    assert any("left out" in warning for warning in recording.warnings)


def test_a_stress_tests_strips_and_its_full_disclosure():
    digital, names = values(50, 3), ("I", "2", "3")
    strips = block("StripData", digital, names).replace("<WaveformData", "<Strip><WaveformData", 1)
    strips = strips.replace("</StripData>", "</Strip></StripData>")
    recording = read(cardiosoft(strips))
    np.testing.assert_array_equal(recording.digital, digital)
    assert recording.sampling_hz == 500
    more = strips.replace(
        "</StripData>", f"{strips[strips.index('<Strip>') : strips.index('</StripData>')]}</StripData>"
    )
    assert any("first of 2 strips" in warning for warning in read(cardiosoft(more)).warnings)
    whole = values(300, 3)
    recording = read(cardiosoft(more, full_disclosure(whole, names)))
    np.testing.assert_array_equal(recording.digital, whole)
    assert any("strips were left out" in warning for warning in recording.warnings)
    recording = read(cardiosoft(f"<Strip>{block('StripData', digital, names)}</Strip>"))
    np.testing.assert_array_equal(recording.digital, digital)


def test_eight_leads_give_twelve():
    names = ("I", "II", *TWELVE[6:])
    recording = read(cardiosoft(block("StripData", values(rows=8), names)))
    assert recording.derived == {"III", "aVR", "aVL", "aVF"}


REFUSED = {
    "nothing": (cardiosoft(), errors.NoWaveform),
    "median alone": (cardiosoft(measured(block("MedianSamples", values()))), errors.NoWaveform),
    "no step": (cardiosoft(block("StripData", values(), resolution="")), errors.DamagedRecording),
    "odd step": (
        cardiosoft(block("StripData", values(), resolution='<Resolution units="mm">5</Resolution>')),
        errors.DamagedRecording,
    ),
    "no rate": (cardiosoft(block("StripData", values(), rate="")), errors.DamagedRecording),
    "a hole": (cardiosoft(block("StripData", values()).replace(",", ",,", 1)), errors.DamagedRecording),
    "a fraction": (cardiosoft(block("StripData", values()).replace(",", ".5,", 1)), errors.DamagedRecording),
    "channels": (cardiosoft(full_disclosure(values(), channels=3)), errors.DamagedRecording),
    "cut": (cardiosoft(block("StripData", values()))[:-2000], errors.TruncatedRecording),
}


@pytest.mark.parametrize(("data", "error"), REFUSED.values(), ids=REFUSED)
def test_refused_by_name(data, error):
    with pytest.raises(error):
        read(data)
