"""All SQL of registration."""

from datetime import date
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.domain.workflow import State
from ecg_center.store.tables import AccessionCounter, FeeItem, Institution, Patient, Study

SEARCH_LIMIT = 20
OPEN_ORDERS_LIMIT = 500
"""A clinic registers some fifty exams a day; what is older than the limit is found by its accession number."""


async def next_number(session: AsyncSession, institution_id: UUID, day: date) -> int:
    """The institution's next running number of the day; the row's lock makes it gapless and unique."""
    statement = (
        insert(AccessionCounter)
        .values(institution_id=institution_id, day=day, last=1)
        .on_conflict_do_update(index_elements=["institution_id", "day"], set_={"last": AccessionCounter.last + 1})
        .returning(AccessionCounter.last)
    )
    return int((await session.execute(statement)).scalar_one())


async def patient_by_no(session: AsyncSession, institution_id: UUID, patient_no: str) -> Patient | None:
    """An institution's patient by their number."""
    return await session.scalar(
        select(Patient).where(Patient.institution_id == institution_id, Patient.patient_no == patient_no)
    )


async def find_patients(session: AsyncSession, institution_id: UUID, text: str) -> list[Patient]:
    """Patients whose number begins with, or whose name contains, the text."""
    pattern = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return list(
        await session.scalars(
            select(Patient)
            .where(
                Patient.institution_id == institution_id,
                or_(Patient.name.ilike(f"%{pattern}%"), Patient.patient_no.ilike(f"{pattern}%")),
            )
            .order_by(Patient.created_at.desc())
            .limit(SEARCH_LIMIT)
        )
    )


async def institution(session: AsyncSession, institution_id: UUID) -> Institution | None:
    """One institution."""
    return await session.get(Institution, institution_id)


async def fee_item(session: AsyncSession, code: str) -> FeeItem | None:
    """One fee item that is in use."""
    return await session.scalar(select(FeeItem).where(FeeItem.code == code, FeeItem.active))


async def fee_items(session: AsyncSession) -> list[FeeItem]:
    """All fee items in use."""
    return list(
        await session.scalars(select(FeeItem).where(FeeItem.active).order_by(FeeItem.kind.desc(), FeeItem.code))
    )


async def open_orders(session: AsyncSession) -> list[tuple[Study, Patient, Institution, FeeItem | None]]:
    """Studies in sight that are registered and not recorded, the newest first."""
    rows = await session.execute(
        select(Study, Patient, Institution, FeeItem)
        .join(Patient, Patient.id == Study.patient_id)
        .join(Institution, Institution.id == Study.institution_id)
        .outerjoin(FeeItem, FeeItem.code == Study.fee_item_code)
        .where(Study.state == State.REGISTERED.value)
        .order_by(Study.registered_at.desc())
        .limit(OPEN_ORDERS_LIMIT)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]
