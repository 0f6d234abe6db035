"""The way of one study through every stage of the centre, on a real database, over HTTP where there is HTTP."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pydicom.data import get_testdata_file
from sqlalchemy import select, text
from support.centre import Centre

from ecg_center.contract.upload import RecordingIdentity, UploadOffer
from ecg_center.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from ecg_center.registration import service as registration
from ecg_center.registration.schemas import PatientForm, RegistrationForm
from ecg_center.store.scopes import actor_of, scope_of
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import Recording, Study, StudyEvent
from ecg_center.worklist import service as worklist

ECG = open(get_testdata_file("waveform_ecg.dcm"), "rb").read()  # noqa: SIM115, PTH123


def form(**changes) -> RegistrationForm:
    patient = PatientForm(name="演示患者", sex="F", patient_no="DEMO-1")
    return RegistrationForm(patient=patient, fee_item_code="310701001", **changes)


async def register(centre: Centre, login: str = "t1", **changes) -> Study:
    principal = await centre.person(login)
    async with centre.database.transaction(scope_of(principal)) as session:
        study, _ = await registration.register(
            session, actor_of(principal), principal.institution_id, form(**changes), datetime.now(UTC)
        )
    return study


async def upload(centre: Centre, content: bytes = ECG, *, chunk: int = 100_000, **identity) -> dict:
    offer = UploadOffer(
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        institution_code="T1",
        transport="dicom",
        device="DEMO_T1_ECG",
        safe_at=datetime.now(UTC),
        identity=RecordingIdentity(**identity),
    )
    async with centre.gateway() as client:
        status = (
            (await client.post("/api/gateway/uploads", json=offer.model_dump(mode="json"))).raise_for_status().json()
        )
        while status["receipt"] is None:
            at = status["offset_bytes"]
            answer = await client.patch(
                f"/api/gateway/uploads/{offer.sha256}",
                headers={"Upload-Offset": str(at)},
                content=content[at : at + chunk],
            )
            status = answer.raise_for_status().json()
    return status["receipt"]


async def test_an_ordered_recording_takes_its_order_and_waits_on_the_worklist(centre: Centre) -> None:
    study = await register(centre, chest_pain=True)
    receipt = await upload(centre, accession_number=study.accession_number)
    assert receipt["matched"]
    assert receipt["study_id"] == str(study.id)
    wang = await centre.person("wang")
    async with centre.database.transaction(scope_of(wang)) as session:
        rows, total = await worklist.rows(session, wang, "write", datetime.now(UTC))
        jobs = (await session.execute(text("SELECT task_name, priority FROM procrastinate_jobs"))).all()
    assert total == 1
    assert (rows[0].state, rows[0].chest_pain, rows[0].due_kind) == ("received", True, "opinion")
    assert rows[0].due_at - rows[0].received_at == timedelta(minutes=10)
    assert [job for job in jobs if job.task_name == "preread"] == [("preread", 100)]


async def test_the_same_bytes_twice_are_one_recording(centre: Centre) -> None:
    first = await upload(centre)
    second = await upload(centre)
    assert not first["duplicate"]
    assert second["duplicate"]
    assert first["recording_id"] == second["recording_id"]
    async with centre.database.transaction(EVERYTHING) as session:
        assert len((await session.scalars(select(Recording))).all()) == 1


async def test_a_button_pressed_after_the_upload_marks_the_study(centre: Centre) -> None:
    first = await upload(centre)
    await upload(centre, chest_pain=True)
    wang = await centre.person("wang")
    async with centre.database.transaction(scope_of(wang)) as session:
        rows, _ = await worklist.rows(session, wang, "write", datetime.now(UTC))
    assert [(str(row.study_id), row.chest_pain, row.due_kind) for row in rows] == [(first["study_id"], True, "opinion")]


async def test_a_recording_that_contradicts_its_order_waits_for_a_person(centre: Centre) -> None:
    study = await register(centre)
    receipt = await upload(centre, accession_number=study.accession_number, sex="M")
    assert not receipt["matched"]
    wang = await centre.person("wang")
    async with centre.database.transaction(scope_of(wang)) as session:
        rows, _ = await worklist.rows(session, wang, "write", datetime.now(UTC))
        recording = await session.get(Recording, UUID(receipt["recording_id"]))
    assert [row.patient_name for row in rows] == [None]
    assert recording.identity_conflict == ["sex"]


async def test_a_wrong_offset_is_told_the_right_one(centre: Centre) -> None:
    digest = hashlib.sha256(ECG).hexdigest()
    offer = UploadOffer(
        sha256=digest,
        size_bytes=len(ECG),
        institution_code="T1",
        transport="dicom",
        device="DEMO_T1_ECG",
        safe_at=datetime.now(UTC),
    )
    async with centre.gateway() as client:
        await client.post("/api/gateway/uploads", json=offer.model_dump(mode="json"))
        await client.patch(f"/api/gateway/uploads/{digest}", headers={"Upload-Offset": "0"}, content=ECG[:1000])
        answer = await client.patch(f"/api/gateway/uploads/{digest}", headers={"Upload-Offset": "0"}, content=ECG[:10])
        assert answer.status_code == 409
        assert answer.json()["type"] == "upload-offset"
        again = await client.post("/api/gateway/uploads", json=offer.model_dump(mode="json"))
        assert again.json()["offset_bytes"] == 1000


async def test_bytes_that_are_not_what_was_offered_are_refused(centre: Centre) -> None:
    digest = hashlib.sha256(ECG).hexdigest()
    offer = UploadOffer(
        sha256=digest, size_bytes=4, institution_code="T1", transport="mqtt", device="x", safe_at=datetime.now(UTC)
    )
    async with centre.gateway() as client:
        await client.post("/api/gateway/uploads", json=offer.model_dump(mode="json"))
        answer = await client.patch(f"/api/gateway/uploads/{digest}", headers={"Upload-Offset": "0"}, content=b"fake")
        assert (answer.status_code, answer.json()["type"], answer.json()["retry"]) == (409, "upload-checksum", True)
        status = (await client.post("/api/gateway/uploads", json=offer.model_dump(mode="json"))).json()
        assert (status["offset_bytes"], status["receipt"]) == (0, None)


async def test_a_claim_is_seen_by_others_and_ends_by_itself(centre: Centre) -> None:
    receipt = await upload(centre)
    study_id, now = UUID(receipt["study_id"]), datetime.now(UTC)
    wang, zhao = await centre.person("wang"), await centre.person("zhao")
    async with centre.database.transaction(EVERYTHING) as session:
        await worklist.claim(session, wang, study_id, now)
    async with centre.database.transaction(EVERYTHING) as session:
        rows, _ = await worklist.rows(session, zhao, "write", now)
        assert rows[0].holder_name == "王演示"
    with pytest.raises(Conflict, match="王演示"):
        async with centre.database.transaction(EVERYTHING) as session:
            await worklist.claim(session, zhao, study_id, now)
    async with centre.database.transaction(EVERYTHING) as session:
        taken = await worklist.claim(session, zhao, study_id, now + timedelta(minutes=6))
        assert taken.claimed_by == zhao.person_id


async def test_a_technician_may_not_read_and_sees_only_their_clinic(centre: Centre) -> None:
    receipt = await upload(centre)
    t1, t2 = await centre.person("t1"), await centre.person("t2")
    with pytest.raises(NotAllowed):
        async with centre.database.transaction(scope_of(t1)) as session:
            await worklist.claim(session, t1, UUID(receipt["study_id"]), datetime.now(UTC))
    with pytest.raises(NotFound):
        async with centre.database.transaction(scope_of(t2)) as session:
            await worklist.claim(session, t2, UUID(receipt["study_id"]), datetime.now(UTC))


async def test_deadlines_warn_and_breach_once(centre: Centre) -> None:
    receipt = await upload(centre)
    later = datetime.now(UTC) + timedelta(minutes=31)
    for _ in range(2):
        async with centre.database.transaction(EVERYTHING) as session:
            await worklist.sweep_deadlines(session, later)
    async with centre.database.transaction(EVERYTHING) as session:
        events = (
            await session.scalars(
                select(StudyEvent.what).where(StudyEvent.study_id == UUID(receipt["study_id"])).order_by(StudyEvent.id)
            )
        ).all()
    assert list(events) == ["safe", "receive", "deadline_breached", "deadline_warned"]


async def test_registration_over_the_api_needs_a_known_fee_item(centre: Centre) -> None:
    body = form().model_dump(mode="json") | {"institution_code": "T2"}
    async with centre.gateway() as client:
        made = await client.post("/api/registrations", json=body)
        assert made.status_code == 201
        assert made.json()["accession_number"].startswith("T2-")
        wrong = await client.post("/api/registrations", json=body | {"fee_item_code": "x"})
        assert (wrong.status_code, wrong.json()["type"]) == (422, "invalid")
        orders = await client.get("/api/gateway/orders")
        assert [order["accession_number"] for order in orders.json()["orders"]] == [made.json()["accession_number"]]
        same = await client.get("/api/gateway/orders", headers={"If-None-Match": orders.headers["etag"]})
        assert same.status_code == 304
    async with centre.client() as nobody:
        assert (await nobody.post("/api/registrations", json=body)).status_code == 401


async def test_a_cancelled_order_says_why(centre: Centre) -> None:
    study = await register(centre)
    t1 = await centre.person("t1")
    with pytest.raises(Invalid):
        async with centre.database.transaction(scope_of(t1)) as session:
            await registration.cancel(session, t1, study.id, " ", datetime.now(UTC))
    async with centre.database.transaction(scope_of(t1)) as session:
        await registration.cancel(session, t1, study.id, "患者离开", datetime.now(UTC))
