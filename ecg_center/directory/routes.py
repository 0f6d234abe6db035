"""HTTP of the directory: the gateway's heartbeat."""

from datetime import UTC, datetime

from fastapi import APIRouter

from ecg_center.contract.printing import Heartbeat
from ecg_center.directory import service
from ecg_center.http import Db, FromGateway

router = APIRouter()


@router.post("/api/gateway/heartbeat", status_code=204)
async def heartbeat(body: Heartbeat, gateway: FromGateway, db: Db) -> None:
    """Keep what the gateway says of itself."""
    async with db.transaction(gateway.scope) as session:
        await service.note_heartbeat(session, gateway, body, datetime.now(UTC))
