"""Two clinics with rows in every table, and one request for every route: what the isolation tests cross with."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import httpx
from fastapi.routing import APIRoute
from sqlalchemy import select
from starlette.routing import BaseRoute
from support import days, pressure_exams
from support.centre import Centre
from support.studies import do, documented, ecg, offer_of, outcome, recorded, register, released, upload, written

from ecg_center.directory import service as directory
from ecg_center.registration.schemas import PatientForm
from ecg_center.reporting import service as reporting
from ecg_center.reporting.schemas import OpinionForm
from ecg_center.store.events import CENTRE
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import (
    Device,
    FindingsEdit,
    GatewayAccount,
    Institution,
    Person,
    PersonGrant,
    PrereadProgress,
    Recording,
    Report,
)
from worker import queries as worker

NAMES = {"T1": "甲镇患者", "T2": "乙镇患者"}
EVERY_ROLE = ("technician", "reporting", "reviewing", "director", "qc", "admin")


SHARED = ("code", "sha256", "gateway_id", "calendar_id", "day")
"""What is not one clinic's secret."""


@dataclass(frozen=True)
class Clinic:
    """One clinic's things, by the names that routes have for them, and the words that would give them away."""

    institution_id: UUID
    ids: Mapping[str, str]
    order_id: str
    marks: frozenset[str]
    """Ids, numbers and names of this clinic: none may stand in an answer to the other."""


@dataclass
class Community:
    """A centre where both clinics have rows in every table."""

    centre: Centre
    t1: Clinic
    t2: Clinic
    gateway_tokens: dict[str, str] = field(default_factory=dict)


async def furnish(centre: Centre) -> Community:
    """Both clinics with an order, an open exam, a delivered one, unreadable and unmatched bytes, a begun upload.

    The technician of T2 gets every role at T2, so that what stops them is the isolation and nothing else.
    """
    clinics = [await _clinic(centre, code, 100 * number) for number, code in enumerate(("T1", "T2"), start=1)]
    tokens = {}
    async with centre.database.transaction(EVERYTHING) as session:
        for code in ("T1", "T2"):
            tokens[code] = await directory.create_gateway(session, CENTRE, f"of-{code}", [code], datetime.now(UTC))
        person = await session.scalar(select(Person).where(Person.login == "t2"))
        assert person is not None
        session.add_all(PersonGrant(person_id=person.id, role=role) for role in EVERY_ROLE if role != "technician")
    return Community(centre, clinics[0], clinics[1], tokens)


async def _clinic(centre: Centre, code: str, number: int) -> Clinic:
    login = code.lower()
    patient = PatientForm(name=NAMES[code], sex="F", patient_no=f"{code}-P1")
    order = await register(centre, login, patient=patient)
    exam = await recorded(centre, number, login, patient=patient, chest_pain=True)
    await written(centre, exam)
    done = await recorded(centre, number + 1, login, patient=patient, urgent=True)
    await do(
        centre, "wang", reporting.give_opinion, centre.press.signatures, done.study_id, OpinionForm(text="演示"),
        datetime.now(UTC),
    )  # fmt: skip
    report = await released(centre, done)
    delivery = await documented(centre, report)
    await outcome(centre, delivery.id, "failed", "out of paper")
    day = await days.read_day(centre, number + 3, login, patient=patient)
    pressures = await pressure_exams.measured(centre, login=login)
    unmatched = await upload(centre, ecg(number + 2), code, patient_name=NAMES[code])
    unreadable = await upload(centre, f"not a recording {number}".encode(), code)
    begun = f"begun {number}".encode()
    async with centre.gateway() as client:
        offer = offer_of(begun, code)
        (await client.post("/api/gateway/uploads", json=offer.model_dump(mode="json"))).raise_for_status()
    async with centre.database.transaction(EVERYTHING) as session:
        await worker.quarantine(session, unreadable.recording_id, "not an ECG", CENTRE, datetime.now(UTC))
        recording = await session.get(Recording, exam.recording_id)
        institution = await session.scalar(select(Institution).where(Institution.code == code))
        person = await session.scalar(select(Person).where(Person.login == login))
        device_id = await session.scalar(select(Device.id).join(Institution).where(Institution.code == code))
        gateway_id = await session.scalar(select(GatewayAccount.id).limit(1))
        verify_code = await session.scalar(select(Report.verify_code).where(Report.id == report.id))
        assert recording is not None
        assert institution is not None
        assert person is not None
        about = {"institution_id": institution.id, "recording_id": recording.id, "study_id": recording.study_id}
        edit = {"action": "exclude", "start_s": 1.0, "end_s": 2.0}
        session.add(FindingsEdit(**about, position=0, content=edit, person_name=code, at=datetime.now(UTC)))
        session.add(PrereadProgress(**about, share=0.5, stage="beats"))
    ids = {
        "study_id": str(exam.study_id),
        "recording_id": str(exam.recording_id),
        "day_recording_id": str(day.recording_id),
        "day_study_id": str(day.study_id),
        "pressures_recording_id": str(pressures.recording_id),
        "pressures_study_id": str(pressures.study_id),
        "report_id": str(report.id),
        "delivery_id": str(delivery.id),
        "person_id": str(person.id),
        "code": str(verify_code),
        "sha256": hashlib.sha256(begun).hexdigest(),
        "device_id": str(device_id),
        "gateway_id": str(gateway_id),
        "calendar_id": str(institution.calendar_id),
        "day": "2026-12-01",
    }
    hidden = {value for name, value in ids.items() if name not in SHARED}
    numbers = {exam.accession_number, done.accession_number, order.accession_number or ""}
    more = {str(order.id), str(done.study_id), str(unmatched.study_id), str(unreadable.recording_id), NAMES[code]}
    return Clinic(institution.id, ids, str(order.id), frozenset(hidden | numbers | more))


def routes_of(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    """(method, path) of every handler of the application, those of included routers too."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes_of(inner.routes)
        elif isinstance(route, APIRoute):
            yield from ((method, route.path) for method in sorted(route.methods))


Caller = Literal["person", "gateway", "anyone", "either"]


@dataclass(frozen=True)
class Probe:
    """A request that would do something if it came from the right clinic."""

    caller: Caller
    json: Any = None
    form: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    names_things: bool = True
    """False: the address names nothing of a clinic; the answer must be about the caller's own."""
    of: Literal["", "day_", "pressures_"] = ""
    """Which of the clinic's exams the address means: the resting ECG, the day of ECG, the blood pressures."""

    def address(self, path: str, clinic: Clinic) -> str:
        """The route's path with the ids of this clinic's things."""
        meant = {name: clinic.ids[self.of + name] for name in ("recording_id", "study_id")}
        return path.format(**(dict(clinic.ids) | meant))

    async def send(self, client: httpx.AsyncClient, method: str, path: str, clinic: Clinic) -> httpx.Response:
        """The request about this clinic's things."""
        form = {key: clinic.order_id if value == "{order}" else value for key, value in (self.form or {}).items()}
        content = b"begun " if "sha256" in path else None
        return await client.request(
            method,
            self.address(path, clinic) + (f"?{self.query}" if self.query else ""),
            json=self.json,
            data=form or None,
            content=content,
            headers=dict(self.headers),
        )


_CONTENT = {"statements": ["20"], "conclusion": "normal"}
_OUTCOME = {"state": "printed", "at": "2026-11-22T09:00:00Z", "printer": "theirs"}
_PATIENT = {"name": "丙", "sex": "M"}
_OWN = Probe("person", names_things=False)
_DESK = {"desk": "write"}

PROBES: dict[tuple[str, str], Probe] = {
    # pages
    ("POST", "/preferences"): Probe("anyone", form={"language": "en"}, names_things=False),
    ("GET", "/"): _OWN,
    ("GET", "/login"): Probe("anyone", names_things=False),
    ("POST", "/login"): Probe("anyone", form={"login": "x", "password": "y"}, names_things=False),
    ("GET", "/account"): _OWN,
    ("POST", "/account/password"): Probe(
        "person", form={"old": "wrong", "new": "long enough", "again": "long enough"}, names_things=False
    ),
    ("GET", "/live"): _OWN,
    ("GET", "/worklist"): _OWN,
    ("POST", "/worklist/next"): Probe("person", form=_DESK, names_things=False),
    ("POST", "/studies/{study_id}/claim"): Probe("person"),
    ("POST", "/studies/{study_id}/let-go"): Probe("person", form=_DESK),
    ("POST", "/studies/{study_id}/renew"): Probe("person"),
    ("GET", "/statements"): _OWN,
    ("GET", "/statements/together"): _OWN,
    ("GET", "/studies/{study_id}/read"): Probe("person"),
    ("POST", "/studies/{study_id}/draft"): Probe("person", json={"edition": 1, "content": _CONTENT}),
    ("GET", "/studies/{study_id}/others"): Probe("person"),
    ("POST", "/studies/{study_id}/recording"): Probe("person", form={"recording_id": str(UUID(int=0))}),
    ("POST", "/studies/{study_id}/sign"): Probe("person", json={"edition": 1, "content": _CONTENT}),
    ("POST", "/studies/{study_id}/opinion"): Probe("person", form={"text": "theirs"}),
    ("POST", "/studies/{study_id}/amend"): Probe("person", form={"reason": "theirs"}),
    ("GET", "/studies/{study_id}/review"): Probe("person"),
    ("POST", "/studies/{study_id}/release"): Probe("person", form={"edition": "1"}),
    ("POST", "/studies/{study_id}/return"): Probe("person", form={"reason": "theirs"}),
    ("GET", "/studies"): _OWN,
    ("GET", "/studies/{study_id}"): Probe("person"),
    ("GET", "/studies/{study_id}/panel"): Probe("person"),
    ("GET", "/studies/{study_id}/day"): Probe("person"),
    ("GET", "/studies/{study_id}/progress"): Probe("person"),
    ("GET", "/studies/{study_id}/pressure"): Probe("person", of="pressures_"),
    ("POST", "/studies/{study_id}/mark"): Probe("person", form={"chest_pain": "true"}),
    ("POST", "/studies/{study_id}/cancel"): Probe("person", form={"reason": "theirs"}),
    ("POST", "/studies/{study_id}/print"): Probe("person"),
    ("GET", "/reports/{report_id}/pdf"): Probe("person"),
    ("GET", "/clinic"): _OWN,
    ("POST", "/clinic"): Probe(
        "person", form={"name": "丙", "sex": "M", "fee_item_code": "310701001"}, names_things=False
    ),
    ("GET", "/unmatched"): _OWN,
    ("POST", "/unmatched/{study_id}/assign"): Probe("person", form={"order": "{order}"}),
    ("POST", "/recordings/{recording_id}/retry"): Probe("person"),
    ("POST", "/recordings/{recording_id}/dismiss"): Probe("person", form={"reason": "theirs"}),
    ("GET", "/unmatched/{study_id}/register"): Probe("person"),
    ("POST", "/unmatched/{study_id}/register"): Probe(
        "person", form={"name": "丙", "sex": "M", "fee_item_code": "310701001"}
    ),
    ("GET", "/gateways/alerts"): _OWN,
    ("GET", "/directory"): _OWN,
    ("POST", "/directory/institutions"): Probe("person", form={"code": "T9", "name": "丙"}, names_things=False),
    ("POST", "/directory/devices"): Probe(
        "person",
        form={"institution_code": "T1", "name": "丙", "transport": "dicom", "identity": "NEW"},
        names_things=False,
    ),
    ("POST", "/directory/people"): Probe(
        "person",
        form={"institution_code": "T1", "login": "new", "name": "丙", "password": "long enough", "roles": "qc"},
        names_things=False,
    ),
    ("POST", "/directory/people/{person_id}/active"): Probe("person", form={"active": "true"}),
    ("POST", "/directory/people/{person_id}/roles"): Probe("person", form={"roles": "technician"}),
    ("POST", "/directory/people/{person_id}/password"): Probe("person", form={"password": "long enough"}),
    ("POST", "/directory/devices/{device_id}"): Probe(
        "person", form={"institution_code": "T2", "name": "丙", "identity": "STOLEN"}
    ),
    ("POST", "/directory/devices/{device_id}/active"): Probe("person", form={"active": "false"}),
    ("POST", "/directory/gateways"): Probe(
        "person", form={"name": "theirs", "institution_codes": "T1"}, names_things=False
    ),
    ("POST", "/directory/gateways/{gateway_id}/active"): Probe("person", form={"active": "false"}),
    ("POST", "/directory/calendars"): Probe("person", form={"name": "theirs"}, names_things=False),
    ("POST", "/directory/calendars/{calendar_id}"): Probe("person", form={"weekly_1": "08:00-12:00"}),
    ("POST", "/directory/calendars/{calendar_id}/year"): Probe("person", form={"year": "2026"}),
    ("POST", "/directory/calendars/{calendar_id}/days"): Probe(
        "person", form={"day": "2026-12-01", "hours": "08:00-12:00"}
    ),
    ("POST", "/directory/calendars/{calendar_id}/days/{day}/remove"): Probe("person"),
    ("GET", "/v/{code}"): Probe("anyone", names_things=False),
    ("POST", "/logout"): _OWN,
    # the API of people
    ("POST", "/api/session"): Probe("anyone", json={"login": "x", "password": "y"}, names_things=False),
    ("POST", "/api/registrations"): Probe(
        "either", json={"patient": _PATIENT, "fee_item_code": "310701001"}, names_things=False
    ),
    ("POST", "/api/studies/{study_id}/marks"): Probe("person", json={"chest_pain": True}),
    ("POST", "/api/studies/{study_id}/cancel"): Probe("person", json={"reason": "theirs"}),
    ("GET", "/api/recordings/{recording_id}/waveform.json"): Probe("person"),
    ("GET", "/api/recordings/{recording_id}/waveform.i16"): Probe("person"),
    ("GET", "/api/recordings/{recording_id}/day"): Probe("person", of="day_"),
    ("GET", "/api/recordings/{recording_id}/stretch.i16"): Probe("person", of="day_", query="start=0&stop=10"),
    ("GET", "/api/recordings/{recording_id}/overview.i16"): Probe(
        "person", of="day_", query="start=0&stop=10&columns=5"
    ),
    ("GET", "/api/recordings/{recording_id}/findings"): Probe("person"),
    ("GET", "/api/recordings/{recording_id}/beats"): Probe("person", of="day_", query="start=0&stop=10"),
    ("GET", "/api/recordings/{recording_id}/trend"): Probe("person", of="day_", query="start=0&stop=10&columns=5"),
    ("GET", "/api/recordings/{recording_id}/beats.atr"): Probe("person", of="day_"),
    ("GET", "/api/recordings/{recording_id}/pressure"): Probe("person", of="pressures_"),
    ("GET", "/api/recordings/{recording_id}/pressure-edits"): Probe("person", of="pressures_"),
    ("POST", "/api/recordings/{recording_id}/pressure-edits"): Probe(
        "person", of="pressures_", json={"position": 0, "edit": {"action": "exclude", "readings": [0], "reason": "x"}}
    ),
    ("GET", "/api/recordings/{recording_id}/edits"): Probe("person"),
    ("POST", "/api/recordings/{recording_id}/edits"): Probe(
        "person", json={"position": 0, "edit": {"action": "exclude", "start_s": 1, "end_s": 2}}
    ),
    ("GET", "/api/worklist"): _OWN,
    ("POST", "/api/worklist/next"): _OWN,
    ("POST", "/api/studies/{study_id}/claim"): Probe("person"),
    ("POST", "/api/studies/{study_id}/renew"): Probe("person"),
    ("POST", "/api/studies/{study_id}/let-go"): Probe("person"),
    ("GET", "/api/studies/{study_id}/draft"): Probe("person"),
    ("GET", "/api/studies/{study_id}/report"): Probe("person"),
    ("PUT", "/api/studies/{study_id}/draft"): Probe("person", json={"edition": 1, "content": _CONTENT}),
    ("POST", "/api/studies/{study_id}/sign"): Probe("person", json={"edition": 1}),
    ("POST", "/api/studies/{study_id}/opinion"): Probe("person", json={"text": "theirs"}),
    ("POST", "/api/studies/{study_id}/amend"): Probe("person", json={"reason": "theirs"}),
    ("POST", "/api/studies/{study_id}/return"): Probe("person", json={"reason": "theirs"}),
    ("POST", "/api/studies/{study_id}/release"): Probe("person", json={"edition": 1}),
    ("POST", "/api/studies/{study_id}/print-again"): Probe("person"),
    ("GET", "/api/studies/{study_id}/timeline"): Probe("person"),
    # the API of gateways
    ("POST", "/api/gateway/heartbeat"): Probe(
        "gateway",
        json={"version": "1", "sent_at": "2026-11-22T09:00:00Z", "spool_waiting": 0, "disk_free_bytes": 1},
        names_things=False,
    ),
    ("GET", "/api/gateway/orders"): Probe("gateway", names_things=False),
    ("POST", "/api/gateway/uploads"): Probe("gateway", json=offer_of(b"new", "T1").model_dump(mode="json")),
    ("PATCH", "/api/gateway/uploads/{sha256}"): Probe("gateway", headers={"Upload-Offset": "0"}),
    ("GET", "/api/gateway/prints"): Probe("gateway", names_things=False),
    ("GET", "/api/gateway/prints/{delivery_id}/pdf"): Probe("gateway"),
    ("POST", "/api/gateway/prints/{delivery_id}/outcome"): Probe("gateway", json=_OUTCOME),
    # operations
    ("GET", "/healthz"): Probe("anyone", names_things=False),
    ("GET", "/metrics"): Probe("anyone", names_things=False),
}
"""Every route of the application. A new route is added here with a request that would do something, or a test fails."""
