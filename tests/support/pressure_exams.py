"""Exams of ambulatory blood pressure on their way, for tests of the centre: real parts, a simulated recorder."""

from datetime import datetime, timedelta

from support.centre import Centre
from support.studies import Exam, read, register, upload

from ecg_center.domain.calendars import CHINA
from ecg_center.registration.schemas import PatientForm
from gateway.simulate.dicom_file import WorklistOrder
from gateway.simulate.pressures import PressureProfile, record_day
from worker.pressure_jobs import reconclude_pressures
from worker.settings import WorkerSettings
from worker.work import Bench

FEE = "310701022"


def recording(
    profile: PressureProfile = PressureProfile.HYPERTENSION, number: int = 3, order: WorklistOrder | None = None
) -> bytes:
    """A day that ended this morning, as its recorder wrote it."""
    yesterday = datetime.now(CHINA) - timedelta(hours=26)
    started_at = yesterday.replace(hour=8, minute=30, second=0, microsecond=0)
    return record_day(profile, number, started_at, device="demo-abpm", order=order).content


async def measured(
    centre: Centre,
    profile: PressureProfile = PressureProfile.HYPERTENSION,
    login: str = "t1",
    indication: str = "头晕1月，诊室血压152/94mmHg",
) -> Exam:
    """An exam of ambulatory blood pressure that was registered, measured and pre-read."""
    patient = PatientForm(name="演示患者", sex="F", patient_no="DEMO-1", age_years=58)
    study = await register(centre, login, kind="abpm", fee_item_code=FEE, patient=patient, indication=indication)
    assert study.accession_number is not None
    order = WorklistOrder(study.accession_number, study.study_instance_uid, "DEMO-1", "演示患者", "F", None)
    content = recording(profile, order=order)
    receipt = await upload(centre, content, login.upper(), accession_number=study.accession_number)
    assert receipt.matched
    await read(centre, receipt.recording_id)
    return Exam(study.id, receipt.recording_id, study.accession_number)


async def answer_edits(centre: Centre, exam: Exam) -> None:
    """The worker's answer to the edits that were made."""
    assert await reconclude_pressures(Bench(centre.database, centre.press.blobs, WorkerSettings()), exam.recording_id)
