"""HTTP of delivery: what a clinic's gateway prints (``contract/printing.py``)."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from ecg_center.contract.printing import PrintOutcome, PrintTasks
from ecg_center.delivery import service
from ecg_center.http import BlobStore, Db, FromGateway, SignedIn
from ecg_center.store.blobs import report_key
from ecg_center.store.live import END, Live
from ecg_center.store.scopes import scope_of

router = APIRouter()

RECHECK_S = 5.0
"""A long poll looks again by itself this often, should a notice be lost."""


@router.get("/api/gateway/prints")
async def prints(
    gateway: FromGateway, request: Request, db: Db, wait_s: Annotated[float, Query(ge=0, le=60)] = 0
) -> PrintTasks:
    """The reports that wait for paper; waits up to ``wait_s`` for the first one."""
    live: Live = request.app.state.live
    ends = asyncio.get_running_loop().time() + wait_s
    async with live.subscribe(gateway.scope) as news:
        while True:
            async with db.transaction(gateway.scope) as session:
                found = await service.tasks(session)
            left = ends - asyncio.get_running_loop().time()
            if found.tasks or left <= 0 or await request.is_disconnected():
                return found
            try:
                async with asyncio.timeout(min(left, RECHECK_S)):
                    while (heard := await news.get()).what not in ("document", "print_again", "reload", "end"):
                        pass
                if heard is END:
                    return found
            except TimeoutError:
                continue


@router.get("/api/gateway/prints/{delivery_id}/pdf")
async def pdf(delivery_id: UUID, gateway: FromGateway, db: Db, blobs: BlobStore) -> Response:
    """The signed document."""
    async with db.transaction(gateway.scope) as session:
        report = await service.document_of(session, delivery_id)
    return Response(await blobs.get(report_key(report.pdf_sha256 or "")), media_type="application/pdf")


@router.post("/api/gateway/prints/{delivery_id}/outcome", status_code=204)
async def outcome(delivery_id: UUID, body: PrintOutcome, gateway: FromGateway, db: Db) -> None:
    """Take what the printer did."""
    async with db.transaction(gateway.scope) as session:
        await service.report_outcome(session, gateway.actor, delivery_id, body, datetime.now(UTC))


@router.post("/api/studies/{study_id}/print-again", status_code=204)
async def print_again(study_id: UUID, principal: SignedIn, db: Db) -> None:
    """Put the newest released report on paper once more."""
    async with db.transaction(scope_of(principal)) as session:
        await service.print_again(session, principal, study_id, datetime.now(UTC))
