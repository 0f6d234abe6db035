"""Which gateways need somebody's eye? The banners above the worklist and the clinic's desk."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ecg_center.directory import service
from ecg_center.http import Db, SignedIn
from ecg_center.store.scopes import scope_of
from ecg_center.web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/gateways/alerts")
async def gateway_alerts(request: Request, principal: SignedIn, db: Db) -> Response:
    """The banners anew: the centre's people see every gateway, a clinic's people those that serve their clinic."""
    async with db.transaction(scope_of(principal)) as session:
        alerts = await service.gateway_alerts(session, datetime.now(UTC))
    return render(request, "parts/gateways.html", alerts=alerts)
