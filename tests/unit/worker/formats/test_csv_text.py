import os
from pathlib import Path

import numpy as np
import pytest

from worker.formats import csv_columns, errors, read
from worker.formats.column_maps import ColumnMapError
from worker.formats.csv_columns import ROWS_AT_ONCE, ColumnMap
from worker.formats.csv_text import read_mapped

DATA = Path(os.environ.get("ECG_DATA", "../shared/ecg-data"))
WATCH = DATA / "formats" / "csv" / "ecgxai_applewatch.csv"
real = pytest.mark.skipif(not WATCH.is_file(), reason=f"no real CSV in {WATCH.parent} (set ECG_DATA)")

HEAD = "# ecg-csv 1\n# sampling_hz: 500\n# unit: uV\n"
DECLARED = """# ecg-csv 1
# sampling_hz: 250
# unit: {unit}
# started_at: 2024-02-29T07:08:09+08:00
# patient_name: 欧阳小明
# model: M1
# lowpass_hz: 40
time_s,I,Lead II,V1
0,1,-2,0.5
0.004,3,4,-0.25
0.008,,6,7
0.012,7,8,9
"""


@real
def test_a_real_apple_watch_to_the_last_digit_of_the_text():
    recording = read(WATCH)
    lines = WATCH.read_text("utf-8").splitlines()
    values = [float(line.replace(",", ".")) for line in lines[13:] if line]
    assert recording.leads == ("I",)
    assert recording.sampling_hz == 511.844
    np.testing.assert_array_equal(recording.digital[0], np.rint(np.array(values) * 1000))
    np.testing.assert_allclose(recording.microvolts()[0], values, rtol=1e-15)
    assert recording.started_at.isoformat() == "2023-06-28T13:03:46+02:00"
    assert recording.device.model == "Watch4,2"
    assert recording.device.software == "1.90"
    assert recording.device_statements == ("Sinusritme",)
    assert recording.warnings == ()


@pytest.mark.parametrize(
    ("rate", "words"),
    [("Sample Rate,512 hertz", "Lead,Lead I\nUnit,µV"), ("采样率,512赫兹", "导联,导联 I\n单位,µV")],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_apple_in_other_languages(rate, words, encoding):
    head = "Name,Ann\nDate of Birth,2 Jan 1970\nRecorded Date,2024-02-29 07:08:09 +0800\nClassification,Sinus Rhythm\n"
    text = f'{head}Symptoms,\nSoftware Version,1.90\nDevice,"Watch6,2"\n{rate}\n\n\n{words}\n\n-1.5\n2\n0.125\n'
    if encoding == "gb18030":
        text = text.replace("µ", "μ")
    recording = read(text.encode(encoding))
    assert recording.leads == ("I",)
    assert recording.sampling_hz == 512
    assert recording.microvolts()[0].tolist() == [-1.5, 2, 0.125]
    assert recording.identity.patient_name == "Ann"


@pytest.mark.parametrize(("unit", "step"), [("uV", 1), ("mV", 1000), ("nV", 0.001), ("毫伏", 1000)])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_table_that_declares_itself(unit, step, encoding):
    recording = read(DECLARED.format(unit=unit).encode(encoding))
    assert recording.leads[:3] == ("I", "II", "V1")
    assert recording.sampling_hz == 250
    np.testing.assert_allclose(recording.microvolts()[2], np.array([0.5, -0.25, 7, 9]) * step)
    np.testing.assert_array_equal(recording.digital[1], [-2, 4, 6, 8])
    assert [(gap.start, gap.stop) for gap in recording.gaps if gap.leads[0] == "I"] == [(2, 3)]
    assert recording.identity.patient_name == "欧阳小明"
    assert recording.device.model == "M1"
    assert recording.filters.lowpass_hz == 40
    assert recording.derived == {"III", "aVR", "aVL", "aVF"}
    assert recording.started_at.isoformat() == "2024-02-29T07:08:09+08:00"


def test_steps_and_a_baseline():
    text = "# ecg-csv 1\n# sampling_hz: 500\n# unit: lsb\n# uv_per_lsb: 2.5\n# baseline: 100\nII;V5\n100;102\n90;98\n"
    recording = read(text.encode())
    np.testing.assert_array_equal(recording.microvolts(), [[0, -25], [5, -5]])
    np.testing.assert_array_equal(recording.digital, [[100, 90], [102, 98]])


def test_a_table_cut_in_its_last_line_loses_that_line_and_says_so():
    recording = read(DECLARED.format(unit="uV").encode()[:-6])
    assert recording.n_samples == 3
    assert recording.warnings == ("the last line of the table is cut and was left out",)


@pytest.mark.parametrize("rows", [1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1])
def test_a_last_line_that_is_cut_wherever_a_chunk_ends(rows):
    text = "# ecg-csv 1\n# sampling_hz: 500\n# unit: uV\nI,V1\n" + "1,2\n" * rows + "3"
    recording = read(text.encode())
    assert recording.n_samples == rows
    assert recording.warnings == ("the last line of the table is cut and was left out",)


def test_empty_cells_of_every_kind_and_padded_ones():
    cells = ["", " ", "NaN", "null", "-", "--", "NA"]
    text = f"{HEAD}I;V1\n" + "".join(f"{cell};  {at}.5\n" for at, cell in enumerate(cells)) + "\n ; \n7; 8\n"
    recording = read(text.encode())
    np.testing.assert_array_equal(recording.microvolts(), [[0.0] * 7 + [7.0], [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 8.0]])
    assert [(gap.start, gap.stop, gap.leads) for gap in recording.gaps] == [(0, 7, ("I",))]


@pytest.mark.parametrize("body", ["1\n2\n3\n", "1\r\n\r\n2\r\n3", '"1"\n2\n3', " 1\n2 \n\t3\n", "1\n2\nnan\n3\n"])
def test_one_lead_alone_is_read_the_same_in_every_way_of_writing(body):
    recording = read(f"{HEAD}II\n{body}".encode())
    measured = [
        value
        for at, value in enumerate(recording.microvolts()[0])
        if not any(g.start <= at < g.stop for g in recording.gaps)
    ]
    assert measured == [1, 2, 3]


def test_a_vendors_table_by_a_column_map():
    declared = 'sampling_hz = 125\nunit = "mV"\ndecimal = ","\ndelimiter = ";"\nheader_rows = 2\n'
    declared += '[columns]\nCh1 = "II"\n3 = "v5"\n'
    text = "Vendor export\nCh1;Ch2;Ch3\n0,125;9;-1\n-0,5;9;2,5\n"
    recording = read_mapped(text.encode(), ColumnMap.parse(declared))
    assert recording.leads == ("II", "V5")
    np.testing.assert_array_equal(recording.microvolts(), [[125, -500], [-1000, 2500]])


@real
def test_the_test_signal_of_aami_ec13_by_a_column_map():
    path = next(iter(sorted((DATA / "aami_ec13").glob("aami3a*.csv"))))
    recording = read_mapped(path.read_bytes(), ColumnMap(720, "mV", {"1": "II"}, header_rows=0))
    assert recording.sampling_hz == 720
    values = [float(word) for word in path.read_text().split()]
    np.testing.assert_allclose(recording.microvolts()[0] / 1000, values, rtol=1e-12)


def test_many_rows_keep_one_step():
    head = "# ecg-csv 1\n# sampling_hz: 500\n# unit: uV\nII\n"
    values = [str(number) for number in range(40_000)] + ["0.001"]
    recording = read((head + "\n".join(values)).encode())
    assert recording.uv_per_lsb[0] == pytest.approx(0.001)
    np.testing.assert_allclose(recording.microvolts()[0], [float(value) for value in values])


@pytest.mark.parametrize(
    "toml",
    [
        "",
        "sampling_hz = 'x'\nunit = 3",
        "unit = 'uV'",
        "sampling_hz = 500\nunit = 'mmHg'",
        "sampling_hz = 500\nsampling_rate = 500",
        "sampling_hz = 500\ndecimal = ','\ndelimiter = ','",
        "[[",
    ],
)
def test_a_column_map_that_contradicts_itself(toml):
    with pytest.raises(ColumnMapError):
        ColumnMap.parse(toml)


REFUSED = {
    "declares nothing": ("I,II,V1\n1,2,3\n", errors.UnsupportedRecording),
    "no rate": ("# ecg-csv 1\n# unit: uV\nI\n1\n", errors.DamagedRecording),
    "no unit": ("# ecg-csv 1\n# sampling_hz: 500\nI\n1\n", errors.DamagedRecording),
    "odd unit": ("# ecg-csv 1\n# sampling_hz: 500\n# unit: mmHg\nI\n1\n", errors.DamagedRecording),
    "no rows": (f"{HEAD}I,II\n", errors.NoWaveform),
    "nothing": (HEAD, errors.NoWaveform),
    "words": (f"{HEAD}I,II\n1,two\n", errors.DamagedRecording),
    "two in a padded cell": (f"{HEAD}I,II\n1, 2 3\n", errors.DamagedRecording),
    "a number and an empty cell for two": (f"{HEAD}I,II\n1 2,3\n,4\n", errors.DamagedRecording),
    "a sign for nothing": (f"{HEAD}I,II\n1,2\n\x1a,4\n", errors.DamagedRecording),
    "two numbers a line": (f"{HEAD}II\n1 2\n", errors.DamagedRecording),
    "ragged": (f"{HEAD}I,II\n1,2\n3\n5,6\n", errors.DamagedRecording),
    "two in a cell": (f"{HEAD}I,II\n1,2 3\n", errors.DamagedRecording),
    "an open quote": (f'{HEAD}I,II\n"1,2\n{"9," * 100_000}', errors.DamagedRecording),
    "too large": (f"{HEAD}I,II\n1,99999999999\n", errors.DamagedRecording),
    "infinite": (f"{HEAD}I,II\n1,1e400\n", errors.DamagedRecording),
}


@pytest.mark.parametrize(("text", "error"), REFUSED.values(), ids=REFUSED)
def test_refused_by_name(text, error):
    with pytest.raises(error):
        read(text.encode())


@pytest.mark.parametrize(("limit", "least"), [("MAX_ROWS", 1000), ("MAX_CELLS", 2000)])
def test_a_table_that_takes_too_long_is_refused(monkeypatch, limit, least):
    text = f"{HEAD}I,II\n" + "1,2\n" * 3000
    assert read(text.encode()).n_samples == 3000
    monkeypatch.setattr(csv_columns, limit, least)
    with pytest.raises(errors.TooLargeRecording, match="rows"):
        read(text.encode())


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "SYST,DIAST\n120,80\n", "hello", "I am here, II too\nyes,no"])
def test_other_text_is_no_ecg(text):
    with pytest.raises(errors.UnknownFormat):
        read(text.encode())


def test_each_lead_may_have_a_step_of_its_own():
    text = "# ecg-csv 1\n# sampling_hz: 500\n# unit: lsb\n# uv_per_lsb: 2.5 0.5\n# baseline: 10 0\nI,V1\n12,4\n8,-4\n"
    recording = read(text.encode())
    assert recording.microvolts().tolist() == [[5, -5], [2, -2]]


def test_steps_that_do_not_fit_the_leads_are_refused():
    text = "# ecg-csv 1\n# sampling_hz: 500\n# unit: lsb\n# uv_per_lsb: 2.5 0.5 1\nI,V1\n12,4\n"
    with pytest.raises(errors.DamagedRecording, match="do not fit 2 leads"):
        read(text.encode())
