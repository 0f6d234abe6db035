"""Who lives in the demo's county? A central hospital, four clinics, people of every role, devices and a gateway."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.directory import queries, service
from ecg_center.directory.schemas import DeviceForm, InstitutionForm, PersonForm
from ecg_center.domain.errors import Conflict
from ecg_center.signing.authority import DemoAuthority
from ecg_center.signing.service import certificate_row
from ecg_center.store.events import Actor
from ecg_center.store.session import EVERYTHING, Database
from ecg_center.store.tables import FeeItem

ACTOR = Actor("centre", "demo")
PASSWORD = "demo-ecg-2026"  # noqa: S105 - the demo's, printed on purpose; it listens on this machine only

LEAD = InstitutionForm(code="H", name="演示县人民医院", name_en="Demo County Hospital", kind="lead", is_demo=True)
CLINICS = (
    InstitutionForm(code="T1", name="演示东镇卫生院", name_en="Demo East Township Clinic", is_demo=True),
    InstitutionForm(code="T2", name="演示西镇卫生院", name_en="Demo West Township Clinic", is_demo=True),
    InstitutionForm(code="T3", name="演示南乡卫生院", name_en="Demo South Township Clinic", is_demo=True),
    InstitutionForm(code="T4", name="演示北乡卫生院", name_en="Demo North Township Clinic", is_demo=True),
)


@dataclass(frozen=True)
class Login:
    """One printed log-in of the demo."""

    login: str
    name: str
    roles: tuple[str, ...]
    institution: str
    title: str
    does: str
    """What they would try first, in English."""


PEOPLE = (
    Login("wang", "王演示", ("reporting",), "H", "主治医师", "takes studies from the worklist and writes reports"),
    Login("li", "李演示", ("reviewing",), "H", "副主任医师", "reviews and releases reports"),
    Login("zhao", "赵演示", ("director",), "H", "主任医师", "writes, reviews, oversees"),
    Login("sun", "孙演示", ("qc",), "H", "质控", "watches turnaround"),
    Login("admin", "管理员", ("admin",), "H", "", "institutions, people, devices"),
    Login("t1", "陈演示", ("technician",), "T1", "技师", "registers exams, presses the chest-pain button"),
    Login("t2", "周演示", ("technician",), "T2", "技师", "the same at another clinic"),
    Login("t3", "吴演示", ("technician",), "T3", "技师", "the same at another clinic"),
    Login("t4", "郑演示", ("technician",), "T4", "技师", "the same at another clinic"),
)

DEVICES = (
    DeviceForm(institution_code="T1", name="十二导联心电图机(演示)", transport="dicom", identity="DEMO_T1_ECG"),
    DeviceForm(institution_code="T2", name="十二导联心电图机(演示)", transport="dicom", identity="DEMO_T2_ECG"),
    DeviceForm(institution_code="T2", name="动态心电记录仪(演示)", transport="mqtt", identity="demo-t2-holter"),
    DeviceForm(institution_code="T1", name="动态血压记录仪(演示)", transport="mqtt", identity="demo-t1-abpm"),
    DeviceForm(institution_code="T3", name="4G便携心电(演示)", transport="mqtt", identity="demo-t3-4g"),
    DeviceForm(institution_code="T4", name="4G便携心电(演示)", transport="mqtt", identity="demo-t4-4g"),
)

HOLTER_RECORDERS = {"demo-t2-holter": "DEMO_T2_ECG"}
"""Recorders of a day of ECG, and the station of their clinic whose worklist they read."""
PRESSURE_RECORDERS = {"demo-t1-abpm": "DEMO_T1_ECG"}
"""Recorders of ambulatory blood pressure, and the station of their clinic whose worklist they read."""

FEES = (
    FeeItem(
        code="310701001",
        name="常规心电图检查(十二导联)",
        name_en="Resting ECG, 12 leads",
        kind="resting",
        price_fen=2500,
    ),
    FeeItem(code="310701003", name="动态心电图", name_en="Holter ECG", kind="holter", price_fen=18000),
    FeeItem(code="310701022", name="动态血压监测", name_en="Ambulatory blood pressure", kind="abpm", price_fen=12000),
)
"""Codes of the national price list of medical services (2012), the demo's prices."""

WEEK = {str(day): [["08:00", "12:00"], ["14:00", "17:30"]] for day in range(1, 6)} | {
    "6": [["08:00", "12:00"]],
    "7": [],
}


@dataclass(frozen=True)
class Secrets:
    """What the demo's processes need to know, kept in the demo's folder (0600)."""

    gateway_token: str
    root_certificate: str


async def settle(database: Database, folder: Path, signing_passphrase: str) -> Secrets:
    """Create the community, once; a second start finds it and its secrets."""
    kept = folder / "community.json"
    if kept.exists():
        return Secrets(**json.loads(kept.read_text("utf-8")))
    now = datetime.now(UTC)
    async with database.transaction(EVERYTHING) as session:
        if not await queries.is_empty(session):
            raise Conflict("The demo's database is older than its folder; run `make demo-reset` and start again.")
        secrets = await _create(session, signing_passphrase, now)
        _keep(kept, secrets.__dict__)
    return secrets


async def _create(session: AsyncSession, passphrase: str, now: datetime) -> Secrets:
    years = [now.year, now.year + 1]
    calendar = await service.create_calendar(session, "演示县人民医院", WEEK, review_waits=False, years=years)
    for form in (LEAD, *CLINICS):
        institution = await service.create_institution(session, ACTOR, form, now)
        institution.calendar_id = calendar.id
    session.add_all(FeeItem(**_columns(item)) for item in FEES)
    authority = DemoAuthority.create("ECG Center CA", passphrase, now)
    for person in PEOPLE:
        await _person(session, authority, person, passphrase, now)
    for device in DEVICES:
        await service.create_device(session, ACTOR, device, now)
    token = await service.create_gateway(session, ACTOR, "demo-gateway", [clinic.code for clinic in CLINICS], now)
    return Secrets(token, authority.certificate_pem.decode())


async def _person(
    session: AsyncSession, authority: DemoAuthority, login: Login, passphrase: str, now: datetime
) -> None:
    form = PersonForm(
        institution_code=login.institution,
        login=login.login,
        name=login.name,
        title=login.title,
        password=PASSWORD,
        roles=list(login.roles),
    )
    person = await service.create_person(session, ACTOR, form, now)
    if {"reporting", "reviewing", "director"} & set(login.roles):
        credential = authority.issue(
            login.name,
            login.login,
            LEAD.name,
            authority_passphrase=passphrase,
            passphrase=passphrase,
            now=now,
        )
        session.add(certificate_row(person.id, credential))


def _columns(item: FeeItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in ("code", "name", "name_en", "kind", "price_fen")}


def _keep(path: Path, content: dict[str, Any]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")
