"""Where does a study stand, and what happened to it? The search, the study's own page and its documents."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from ecg_center.delivery import service as delivery
from ecg_center.domain.authority import Act, Principal
from ecg_center.domain.claims import holder
from ecg_center.domain.errors import NotFound
from ecg_center.domain.workflow import TO_REVIEW, TO_WRITE, State
from ecg_center.http import BlobStore, Db, SignedIn
from ecg_center.registration import service as registration
from ecg_center.release import queries as release
from ecg_center.store.blobs import report_key
from ecg_center.store.events import audit
from ecg_center.store.scopes import actor_of, scope_of
from ecg_center.store.tables import Study
from ecg_center.timeline import queries as timeline
from ecg_center.web.rendering import render
from ecg_center.web.studies import StudyView, study_view
from ecg_center.worklist import service as worklist

router = APIRouter(include_in_schema=False)

SPANS: dict[str, timedelta | None] = {"1": timedelta(days=1), "7": timedelta(days=7), "all": None}
"""How far back the search looks, by the name in its address."""

CLOSED = frozenset({State.RELEASED, State.DELIVERED, State.CANCELLED})


@router.get("/studies")
async def search(
    request: Request,
    principal: SignedIn,
    db: Db,
    q: Annotated[str, Query(max_length=64)] = "",
    state: str = "",
    days: str = "7",
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Studies in sight, found by number or name, state and time."""
    principal.require(Act.READ)
    now = datetime.now(UTC)
    span = SPANS.get(days, SPANS["7"])
    states = [State(state)] if state in set(State) else None
    async with db.transaction(scope_of(principal)) as session:
        rows, total = await worklist.recent(
            session, now, states=states, text=q, since=now - span if span else None, offset=offset
        )
    template = "parts/found.html" if "hx-request" in request.headers else "studies.html"
    return render(
        request, template, rows=rows, total=total, q=q, state=state, days=days, offset=offset, page=worklist.PAGE
    )


@router.get("/studies/{study_id}")
async def study_page(request: Request, study_id: UUID, principal: SignedIn, db: Db, opinion: bool = False) -> Response:
    """The study's own page."""
    principal.require(Act.READ)
    now = datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        view = await study_view(session, study_id, now)
        events = await timeline.events_of(session, study_id)
        audit(session, actor_of(principal), "study_seen", at=now, object_kind="study", object_id=study_id)
    return render(
        request,
        "study.html",
        view=view,
        events=events,
        may=actions(principal, view, now),
        opens_opinion=opinion and view.wants_opinion,
    )


@router.get("/studies/{study_id}/panel")
async def study_panel(request: Request, study_id: UUID, principal: SignedIn, db: Db, drawn: bool = False) -> Response:
    """The study's page without the trace, renewed when something moves; the whole page once there is a trace."""
    principal.require(Act.READ)
    now = datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        view = await study_view(session, study_id, now)
        events = await timeline.events_of(session, study_id)
    if view.recording is not None and not drawn:
        return Response(status_code=200, headers={"HX-Refresh": "true"})
    return render(request, "parts/panel.html", view=view, events=events, may=actions(principal, view, now))


@router.get("/studies/{study_id}/pressure")
async def study_pressure(
    request: Request, study_id: UUID, principal: SignedIn, db: Db, edits: bool = False
) -> Response:
    """The blood pressures of a study, renewed when something moves; ``edits`` for a desk that may change them."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        view = await study_view(session, study_id, datetime.now(UTC))
    if view.pressure is None:
        return Response(status_code=204)
    mine = view.holder_id == principal.person_id
    return render(
        request,
        "parts/pressure_renewed.html",
        view=view,
        may_edit=edits and mine,
        adds=State(view.study.state) is State.WRITING,
    )


def actions(principal: Principal, view: StudyView, now: datetime) -> frozenset[str]:
    """What this person may do with the study where it stands."""
    study, state = view.study, State(view.study.state)
    by_other = view.holder_id is not None and view.holder_id != principal.person_id
    mine = view.holder_id == principal.person_id
    possible = {
        "read_on": mine and state is State.WRITING,
        "review_on": mine and state is State.REVIEWING,
        "write": not mine and not by_other and state in TO_WRITE and principal.may(Act.WRITE, study.kind),
        "review": not mine
        and not by_other
        and state in TO_REVIEW
        and principal.may(Act.REVIEW, study.kind)
        and study.writer_id != principal.person_id,
        "held": by_other and holder(study.claimed_by, study.lease_until, now) is not None,
        "opinion": view.wants_opinion and principal.may(Act.OPINE, study.kind),
        "mark": state not in CLOSED and (principal.may(Act.REGISTER) or principal.may(Act.OPINE)),
        "cancel": state is State.REGISTERED and principal.may(Act.REGISTER),
        "print": state in (State.RELEASED, State.DELIVERED)
        and (principal.may(Act.REGISTER) or principal.may(Act.REVIEW)),
        "amend": state in (State.RELEASED, State.DELIVERED)
        and principal.may(Act.AMEND, study.kind)
        and principal.may(Act.WRITE, study.kind),
        "register": study.patient_id is None
        and state is not State.CANCELLED
        and study.institution_id == principal.institution_id
        and principal.may(Act.REGISTER)
        and principal.may(Act.RESOLVE),
        "resolve": study.patient_id is None and principal.may(Act.RESOLVE),
    }
    return frozenset(name for name, is_possible in possible.items() if is_possible)


@router.post("/studies/{study_id}/mark")
async def mark(
    study_id: UUID,
    principal: SignedIn,
    db: Db,
    urgent: Annotated[bool | None, Form()] = None,
    chest_pain: Annotated[bool | None, Form()] = None,
    back: Annotated[str, Form()] = "",
) -> Response:
    """Set or take back the urgent or the chest-pain mark."""
    async with db.transaction(scope_of(principal)) as session:
        await registration.mark(
            session, principal, study_id, urgent=urgent, chest_pain=chest_pain, now=datetime.now(UTC)
        )
    note = "marked" if urgent or chest_pain else "unmarked"
    where = "/clinic" if back == "clinic" else f"/studies/{study_id}"
    return RedirectResponse(f"{where}?note={note}", status_code=303)


@router.post("/studies/{study_id}/cancel")
async def cancel(
    study_id: UUID, principal: SignedIn, db: Db, reason: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """Cancel an order that will not be recorded."""
    async with db.transaction(scope_of(principal)) as session:
        await registration.cancel(session, principal, study_id, reason, datetime.now(UTC))
    return RedirectResponse("/clinic?note=cancelled", status_code=303)


@router.post("/studies/{study_id}/print")
async def print_again(study_id: UUID, principal: SignedIn, db: Db) -> Response:
    """Have the clinic's printer put the newest released version on paper once more."""
    async with db.transaction(scope_of(principal)) as session:
        await delivery.print_again(session, principal, study_id, datetime.now(UTC))
    return RedirectResponse(f"/studies/{study_id}?note=printing", status_code=303)


@router.get("/reports/{report_id}/pdf")
async def report_pdf(report_id: UUID, principal: SignedIn, db: Db, blobs: BlobStore) -> Response:
    """The signed document of a released version."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        released = await release.released(session, report_id)
        if released is None or released.report.pdf_sha256 is None:
            raise NotFound("There is no such released report.")
        audit(
            session,
            actor_of(principal),
            "report_opened",
            at=datetime.now(UTC),
            object_kind="report",
            object_id=report_id,
        )
    name = file_name(released.study, released.report.version)
    return Response(
        await blobs.get(report_key(released.report.pdf_sha256)),
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"},
    )


def file_name(study: Study, version: int) -> str:
    """``T1-260713-0001-v1.pdf``: the accession number, no patient's name in a downloads folder."""
    return f"{study.accession_number or study.id}-v{version}.pdf"
