"""An ECG beside the one before it: the nearest earlier of the same patient, in sight of who asks, and what changed."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from support.centre import Centre
from support.studies import Exam, read, register, reviewed, study_of, upload, written

from ecg_center.preread.earlier import Earlier
from ecg_center.registration.schemas import PatientForm
from ecg_center.reporting.schemas import ReportContent
from ecg_center.store.scopes import scope_of
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import Study
from ecg_center.web.studies import study_view
from gateway.simulate.pathologies import Pathology
from gateway.simulate.studies import record

FIRST = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


async def examined(
    centre: Centre, pathology: Pathology, at: datetime, login: str = "t1", patient_no: str = "DEMO-7"
) -> Exam:
    """This patient with this finding, recorded at this time by the recorder's clock and pre-read."""
    patient = PatientForm(name="演示患者", sex="F", patient_no=patient_no)
    study = await register(centre, login, patient=patient)
    content = record(pathology, 1, at, device="DEMO").file.content
    receipt = await upload(centre, content, login.upper(), accession_number=study.accession_number)
    await read(centre, receipt.recording_id)
    return Exam(study.id, receipt.recording_id, study.accession_number or "")


async def earlier(centre: Centre, study_id: UUID, login: str = "wang") -> Earlier | None:
    principal = await centre.person(login)
    async with centre.database.transaction(scope_of(principal)) as session:
        return (await study_view(session, study_id, datetime.now(UTC))).earlier


async def test_the_nearest_earlier_one_is_compared(centre: Centre) -> None:
    oldest = await examined(centre, Pathology.RBBB, FIRST - timedelta(days=400))
    before = await examined(centre, Pathology.SINUS, FIRST)
    now = await examined(centre, Pathology.STEMI_INFERIOR, FIRST + timedelta(hours=5))
    found = await earlier(centre, now.study_id)
    assert found is not None
    assert (found.study_id, found.at, found.signed) == (before.study_id, FIRST, False)
    assert "161.330" in found.statements("new")
    assert {"II", "III", "aVF"} <= {item.name for item in found.st}
    assert {item.name for item in found.measured} >= {"heart_rate_bpm", "pr_ms", "qrs_ms", "qtc_ms", "qrs_axis_deg"}
    assert (await earlier(centre, before.study_id)).study_id == oldest.study_id
    assert await earlier(centre, oldest.study_id) is None


async def test_a_signed_report_outranks_the_machine(centre: Centre) -> None:
    before = await examined(centre, Pathology.SINUS, FIRST)
    now = await examined(centre, Pathology.STEMI_INFERIOR, FIRST + timedelta(days=1))
    assert "161.330" in (await earlier(centre, now.study_id)).statements("new")
    content = ReportContent(statements=["20", "161.330"], conclusion="abnormal")
    await reviewed(centre, before, await written(centre, before, content=content))
    found = await earlier(centre, now.study_id)
    assert found.signed
    assert "161.330" not in found.statements("new")


async def test_what_is_out_of_sight_is_not_compared(centre: Centre) -> None:
    elsewhere = await examined(centre, Pathology.SINUS, FIRST, login="t2")
    now = await examined(centre, Pathology.SINUS, FIRST + timedelta(days=1))
    assert await earlier(centre, now.study_id) is None  # the same number at another clinic is another person
    patient_id = (await study_of(centre, now.study_id)).patient_id
    async with centre.database.transaction(EVERYTHING) as session:
        await session.execute(update(Study).where(Study.id == elsewhere.study_id).values(patient_id=patient_id))
    assert (await earlier(centre, now.study_id)).study_id == elsewhere.study_id  # the centre reads for both
    assert await earlier(centre, now.study_id, "t1") is None
    async with await centre.signed_in("t1") as client:
        assert str(elsewhere.study_id) not in (await client.get(f"/studies/{now.study_id}")).text


async def test_the_pages_show_it_in_one_line_with_its_date_and_a_link(centre: Centre) -> None:
    before = await examined(centre, Pathology.SINUS, FIRST)
    now = await examined(centre, Pathology.RBBB, FIRST + timedelta(days=1))
    alone = await examined(centre, Pathology.RBBB, FIRST, patient_no="DEMO-9")
    async with await centre.signed_in("wang") as client:
        await client.post(f"/studies/{now.study_id}/claim")
        desk = (await client.get(f"/studies/{now.study_id}/read")).text
        assert "与 2026-03-04 比较" in desk
        assert "新出现 <strong>完全性右束支传导阻滞</strong>" in desk
        assert f'href="/studies/{before.study_id}"' in desk
        assert "比较" not in (await client.get(f"/studies/{alone.study_id}")).text
