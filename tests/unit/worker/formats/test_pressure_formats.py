import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from worker.formats import errors, pressure
from worker.formats.column_maps import ColumnMapError
from worker.formats.pressure_columns import PressureMap
from worker.formats.pressure_csv import read_all
from worker.formats.pressure_xml import read_mapped
from worker.pressure_readings import BloodPressureSeries, PressureReading, checked, from_annotations
from worker.recording import Annotation, Recording

HYPNOS = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "abpm" / "hypnos_abpm.csv"
real = pytest.mark.skipif(not HYPNOS.is_file(), reason=f"no real readings in {HYPNOS.parent} (set ECG_DATA)")

CSV = """# ecg-pressure 1
# patient_id: 70417
# patient_name: 欧阳小明
# sex: 男
# planned: 48
# model: BP-1
# diary: 2016-12-27T22:30:00+08:00/2016-12-28T06:45:00+08:00 asleep
at,systolic_mmhg,diastolic_mmhg,mean_mmhg,pulse_bpm,status,reason,awake,manual
2016-12-27T09:23:00+08:00,123,58,81,72,measured,,1,0
2016-12-27T10:25:00+08:00,,,,,failed,cuff leak,1,0
2016-12-27T23:25:00+08:00,110.5,62,,55,excluded,moved,0,1
"""
JSON = {
    "format": "ecg-pressure",
    "version": 1,
    "patient": {"patient_id": "70417", "patient_name": "欧阳小明", "sex": "M"},
    "device": {"model": "BP-1"},
    "planned": 48,
    "diary": [{"at": "2016-12-27T22:30:00+08:00", "until": "2016-12-28T06:45:00+08:00", "label": "asleep"}],
    "readings": [
        {"at": "2016-12-27T09:23:00+08:00", "systolic_mmhg": 123, "diastolic_mmhg": 58, "mean_mmhg": 81,
         "pulse_bpm": 72, "awake": True},
        {"at": "2016-12-27T10:25:00+08:00", "status": "failed", "reason": "cuff leak", "awake": True},
        {"at": "2016-12-27T23:25:00+08:00", "systolic_mmhg": 110.5, "diastolic_mmhg": 62, "pulse_bpm": 55,
         "status": "excluded", "reason": "moved", "awake": False, "manual": True},
    ],
}  # fmt: skip


def quantity(code, value, unit="mm[Hg]"):
    return {
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": value, "unit": unit, "code": unit},
    }


def panel(at, *parts, **more):
    code = {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": code,
        "effectiveDateTime": at,
        "component": list(parts),
    } | more


def bundle(*resources):
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


FHIR = bundle(
    {
        "resourceType": "Patient",
        "identifier": [{"value": "70417"}],
        "name": [{"family": "欧阳", "given": ["小明"]}],
        "gender": "male",
        "birthDate": "1980-02-03",
    },
    {"resourceType": "Device", "manufacturer": "M", "modelNumber": "BP-1", "serialNumber": "7"},
    panel("2016-12-27T09:23:00+08:00", quantity("8480-6", 123), quantity("8462-4", 58), quantity("8478-0", 81),
          quantity("8867-4", 72, "/min")),
    panel("2016-12-27T10:25:00+08:00", dataAbsentReason={"text": "cuff leak"}),
    panel("2016-12-27T11:25:00+08:00", quantity("8480-6", 16.0, "kPa"), quantity("8462-4", 8.0, "kPa")),
    panel("2016-12-27T12:25:00+08:00", quantity("8480-6", 300), quantity("8462-4", 58), status="entered-in-error"),
    {"resourceType": "Observation", "effectiveDateTime": "2016-12-27T13:00:00+08:00"} | quantity("8480-6", 130),
    {"resourceType": "Observation", "effectiveDateTime": "2016-12-27T13:00:00+08:00"} | quantity("8462-4", 70),
)  # fmt: skip

HL7 = "\r".join([
    r"MSH|^~\&|ABPM-1^0012345678ABCDEF^EUI-64|CLINIC|||20240301080000+0800||ORU^R01|1|P|2.6|||AL|NE||UNICODE UTF-8",
    "PID|||70417^^^HOSP^MR||欧阳^小明||19800203|M",
    "OBR|1|1^A|1^A|182777000^monitoring of patient^SCT|||20240229090000+0800",
    "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X",
    "OBX|2||150020^MDC_PRESS_BLD_NONINV^MDC|1.1.9.0|||||||R|||20240229090100+0800",
    "OBX|3|NM|150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1.1.9.1|126|266016^MDC_DIM_MMHG^MDC|||||R|||20240229090100+0800",
    "OBX|4|NM|150022^MDC_PRESS_BLD_NONINV_DIA^MDC|1.1.9.2|80|266016^MDC_DIM_MMHG^MDC|||||R|||20240229090100+0800",
    "OBX|5|NM|150023^MDC_PRESS_BLD_NONINV_MEAN^MDC|1.1.9.3|95|266016^MDC_DIM_MMHG^MDC|||||R|||20240229090100+0800",
    "OBX|6|NM|149546^MDC_PULS_RATE_NON_INV^MDC|1.1.9.4|66|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|||20240229090100+0800",
    "OBX|7|NM|150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1.1.9.1||266016^MDC_DIM_MMHG^MDC||leak|||X|||20240229093100+0800",
    "OBR|2|1^A|1^A|182777000^monitoring of patient^SCT|||20240229100000+0800",
    "OBX|1|NM|150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1.1.9.1|16|265987^MDC_DIM_KILO_PASCAL^MDC|||||R",
    "OBX|2|NM|150022^MDC_PRESS_BLD_NONINV_DIA^MDC|1.1.9.2|8|265987^MDC_DIM_KILO_PASCAL^MDC|||||R",
    "",
])  # fmt: skip


def test_our_csv_and_json_say_the_same():
    table, tree = pressure.read(CSV.encode()), pressure.read(json.dumps(JSON, ensure_ascii=False).encode())
    assert table.readings == tree.readings
    assert table.readings_sha256 == tree.readings_sha256
    assert table.diary == tree.diary
    assert (table.planned, table.device.model) == (tree.planned, tree.device.model) == (48, "BP-1")
    for series in (table, tree):
        assert series.identity.patient_name == "欧阳小明"
        assert series.identity.sex == "M"
        assert series.identity.study_kind == "abpm"
        assert [one.status for one in series.readings] == ["measured", "failed", "excluded"]
        assert series.readings[1].reason == "cuff leak"
        assert series.readings[2].systolic_mmhg == 110.5
        assert series.readings[2].manual
        assert not series.readings[2].awake
        assert len(series.measured) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_our_csv_in_chinese_encodings(encoding):
    assert pressure.read(CSV.encode(encoding)).identity.patient_name == "欧阳小明"


@real
def test_real_readings_of_three_people():
    series = read_all(HYPNOS.read_bytes())
    assert len(series) == 6
    assert sum(len(one.readings) for one in series) == 147
    lines = [line.split(",") for line in HYPNOS.read_text().splitlines()[1:]]
    readings = [one for each in series for one in each.readings]
    found = sorted(
        (one.at.strftime("%F %T"), one.systolic_mmhg, one.diastolic_mmhg, one.mean_mmhg, one.pulse_bpm, one.awake)
        for one in readings
    )
    said = sorted(
        (row[1], float(row[2]), float(row[4]), float(row[3]), float(row[5]), row[8] == "1.0") for row in lines
    )
    assert found == said
    with pytest.raises(errors.UnsupportedRecording, match="6 patients"):
        pressure.read(HYPNOS)


def test_a_chinese_vendors_table_is_known_by_its_header():
    text = "序号\t测量时间\t收缩压(mmHg)\t舒张压(mmHg)\t平均压\t心率(bpm)\t备注\n"
    text += "1\t2024/02/29 07:08:09\t120\t80\t93\t70\t\n"
    series = pressure.read(text.encode("gb18030"))
    assert series.readings == (PressureReading(datetime.fromisoformat("2024-02-29T07:08:09+08:00"), 120, 80, 93, 70),)
    kilopascal = pressure.read(b"date,time,SYS (kPa),DIA (kPa)\n2024-02-29,07:08,16.0,10.7\n")
    assert (kilopascal.readings[0].systolic_mmhg, kilopascal.readings[0].diastolic_mmhg) == (120, 80.3)


def test_a_vendors_table_by_a_map():
    declared = (
        'time_format = "%d.%m.%y %H:%M"\ndelimiter = ";"\nheader_rows = 2\n'
        '[columns]\ndate = "Datum"\ntime = "Zeit"\nsystolic = "3"\ndiastolic = "4"\nstatus = "S"\n'
    )
    text = "Bericht\nDatum;Zeit;x;y;S\n29.02.24;07:08;120;80;\n29.02.24;07:38;0;0;ERR\n"
    (series,) = read_all(text.encode(), PressureMap.parse(declared))
    assert series.readings[0].at.isoformat() == "2024-02-29T07:08:00+08:00"
    assert [one.status for one in series.readings] == ["measured", "failed"]


def test_a_vendors_xml_by_a_map():
    declared = (
        'reading = "Measurement"\n[columns]\nat = "@time"\nsystolic = "Sys"\ndiastolic = "Dia"\npulse = "HR"\n'
        'patient_name = "Name"\npatient_id = "@pid"\n'
    )
    text = (
        "<x:Report xmlns:x='urn:v' pid='A1'><Name>王小明</Name>"
        "<Measurement time='2024-02-29T07:08:00'><BP><Sys>120</Sys><Dia>80</Dia></BP><HR>70</HR></Measurement>"
        "<Measurement time='2024-02-29T07:38:00'/></x:Report>"
    )
    series = read_mapped(text.encode(), PressureMap.parse(declared))
    assert series.readings[0].pulse_bpm == 70
    assert series.readings[1].status == "failed"
    assert (series.identity.patient_id, series.identity.patient_name) == ("A1", "王小明")
    with pytest.raises(errors.NoWaveform):
        read_mapped(b"<Report/>", PressureMap.parse(declared))


def test_fhir():
    series = pressure.read(json.dumps(FHIR).encode())
    assert [(one.systolic_mmhg, one.diastolic_mmhg) for one in series.readings] == [
        (123, 58), (None, None), (120, 60), (130, 70)
    ]  # fmt: skip
    assert series.readings[0].mean_mmhg == 81
    assert series.readings[0].pulse_bpm == 72
    assert series.readings[1].reason == "cuff leak"
    assert series.identity.patient_name == "欧阳小明"
    assert series.identity.birth_date == "1980-02-03"
    assert series.device.model == "BP-1"
    single = panel("2016-12-27T09:23:00Z", quantity("8480-6", 123), quantity("8462-4", 58))
    assert pressure.read(json.dumps(single).encode()).readings[0].at == datetime(2016, 12, 27, 9, 23, tzinfo=UTC)


@pytest.mark.parametrize("frame", ["{}", "\x0b{}\x1c\r", "FHS|^~\\&\rBHS|^~\\&\r{}BTS|1\rFTS|1\r"])
def test_hl7_pcd_01(frame):
    series = pressure.read(frame.format(HL7).encode())
    first, failed, third = series.readings
    assert (first.systolic_mmhg, first.diastolic_mmhg, first.mean_mmhg, first.pulse_bpm) == (126, 80, 95, 66)
    assert first.at.isoformat() == "2024-02-29T09:01:00+08:00"
    assert (failed.status, failed.reason) == ("failed", "leak")
    assert (third.systolic_mmhg, third.diastolic_mmhg) == (120, 60)
    assert series.identity.patient_name == "欧阳小明"
    assert series.identity.patient_id == "70417"
    assert series.identity.birth_date == "1980-02-03"
    assert series.device.model == "ABPM-1"


def test_hl7_in_gb18030_and_many_messages():
    data = HL7.replace("UNICODE UTF-8", "GB 18030-2000").encode("gb18030")
    later = data.replace(b"20240229", b"20240228")
    series = pressure.read(data + later)
    assert len(series.readings) == 6
    assert series.identity.patient_name == "欧阳小明"
    assert series.warnings == ("the readings were not in order of time and were sorted",)


def test_what_no_body_has_is_a_failure_with_its_reason():
    at = datetime(2024, 1, 1, tzinfo=UTC)
    assert checked(PressureReading(at, 80, 120)).reason == "systolic 80 is not above diastolic 120"
    assert checked(PressureReading(at, 999, 80)).reason == "999/80 mmHg is beyond what a cuff shows"
    assert checked(PressureReading(at, 0, 0)).reason == "no pressure was found"
    kept = checked(PressureReading(at, 120, 80, 130, 900))
    assert (kept.status, kept.mean_mmhg, kept.pulse_bpm) == ("measured", None, None)


def test_a_series_is_in_order_and_has_zones():
    at = datetime(2024, 1, 1, tzinfo=UTC)
    for readings in (
        (),
        (PressureReading(at.replace(tzinfo=None), 120, 80),),
        (PressureReading(at, 120, 80), PressureReading(at - timedelta(1), 120, 80)),
    ):
        with pytest.raises(ValueError, match=r"readings|zone|order"):
            BloodPressureSeries("x", readings)


def test_the_diary_of_a_combined_recorder():
    marks = (Annotation("NIBP 120/80 mmHg HR 72", 60), Annotation("stairs", 90), Annotation("BP 250/300", 120))
    recording = Recording(
        "edf", "holter", ("I",), np.zeros((1, 100), np.int16), np.ones(1), np.zeros(1), 100.0,
        started_at=datetime(2024, 1, 1, tzinfo=UTC), annotations=marks,
    )  # fmt: skip
    series = from_annotations(recording)
    assert [(one.at.minute, one.systolic_mmhg, one.pulse_bpm, one.status) for one in series.readings] == [
        (1, 120, 72, "measured"),
        (2, None, None, "failed"),
    ]
    assert (
        from_annotations(Recording("edf", "holter", ("I",), np.zeros((1, 9), np.int16), np.ones(1), np.zeros(1), 100.0))
        is None
    )


def changed(**fields):
    return json.dumps(JSON | fields).encode()


REFUSED = {
    "no readings": (changed(readings=[]), errors.NoWaveform),
    "no zone": (changed(readings=[{"at": "2016-12-27T09:23:00"}]), errors.DamagedRecording),
    "no number": (changed(readings=[{"at": "2016-12-27T09:23:00Z", "systolic_mmhg": "x"}]), errors.DamagedRecording),
    "nan": (changed().replace(b"123", b"NaN"), errors.DamagedRecording),
    "another version": (changed(version=2), errors.DamagedRecording),
    "cut": (changed()[:-30], errors.DamagedRecording),
    "nested": (b'{"format": "ecg-pressure", "x": ' + b"[" * 100_000, errors.TooLargeRecording),
    "csv without rows": (CSV.split("at,", maxsplit=1)[0].encode(), errors.NoWaveform),
    "csv without time": (CSV.replace("2016-12-27T09:23:00+08:00", "yesterday").encode(), errors.DamagedRecording),
    "csv of other columns": (b"# ecg-pressure 1\na,b\n1,2\n", errors.UnsupportedRecording),
    "fhir without pressures": (json.dumps(bundle(panel("2024", quantity("1", 1)))).encode(), errors.DamagedRecording),
    "fhir of two": (
        json.dumps(bundle(*(panel("2024", quantity("8480-6", 1), subject={"reference": n}) for n in "ab"))).encode(),
        errors.UnsupportedRecording,
    ),
    "hl7 without time": (HL7.replace("20240229", "").encode(), errors.DamagedRecording),
    "hl7 of two": ((HL7 + HL7.replace("70417", "70418")).encode(), errors.UnsupportedRecording),
    "hl7 without signs": (HL7.replace("MSH|^~\\&", "MSHAAAAA").encode(), errors.DamagedRecording),
    "nothing": (b"hello", errors.UnknownFormat),
}  # fmt: skip


@pytest.mark.parametrize(("data", "error"), REFUSED.values(), ids=REFUSED)
def test_refused_by_name(data, error):
    with pytest.raises(error):
        pressure.read(data)


@pytest.mark.parametrize(
    "toml",
    ["[columns]\nsystolic='a'", "[columns]\nsystolic='a'\ndiastolic='b'\nat='c'\nbogus='d'", "unit='bar'", "x=1", "[["],
)
def test_a_map_that_contradicts_itself(toml):
    with pytest.raises(ColumnMapError):
        PressureMap.parse(toml)


@pytest.mark.parametrize("form", ["%H %H", "%Q", "%", "%d.%m.%y %H:%M %"])
def test_a_form_of_time_that_is_none_is_the_maps_error(form):
    columns = {"at": "1", "systolic": "2", "diastolic": "3"}
    with pytest.raises(ColumnMapError, match="time_format"):
        PressureMap(columns, time_format=form).check()


@pytest.mark.parametrize(
    "form", ["%d.%m.%y %H:%M", "%Y-%m-%dT%H:%M:%S%z", "%Y%m%d%H%M%S", "%b %d %Y %I:%M %p", "%d/%m/%Y %H.%M %Z"]
)
def test_every_usual_form_of_time_is_one(form):
    PressureMap({"at": "1", "systolic": "2", "diastolic": "3"}, time_format=form).check()
