"""Is this paper real? The page behind a report's QR code, open to everyone who holds the paper."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ecg_center.domain.errors import NotFound
from ecg_center.http import Db
from ecg_center.release import service
from ecg_center.store.session import EVERYTHING
from ecg_center.web.errors import said
from ecg_center.web.rendering import render

router = APIRouter(include_in_schema=False)

MAX_CODE = 64


@router.get("/v/{code}")
async def verify(request: Request, code: str, db: Db) -> Response:
    """What is on record under the code."""
    try:
        async with db.transaction(EVERYTHING) as session:
            found = await service.verification(session, code[:MAX_CODE])
    except NotFound as error:
        return render(request, "verify.html", status=404, found=None, sentence=said(request, error))
    return render(request, "verify.html", found=found, sentence="")
