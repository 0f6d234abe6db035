"""HTTP of the directory: sign in, and the gateway's heartbeat."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from ecg_center.contract.printing import Heartbeat
from ecg_center.directory import accounts, service
from ecg_center.directory.sessions import SESSION_COOKIE
from ecg_center.http import Db, FromGateway, NotSignedIn
from ecg_center.store.session import EVERYTHING

router = APIRouter()


@router.post("/api/gateway/heartbeat", status_code=204)
async def heartbeat(body: Heartbeat, gateway: FromGateway, db: Db) -> None:
    """Keep what the gateway says of itself."""
    async with db.transaction(gateway.scope) as session:
        await service.note_heartbeat(session, gateway, body, datetime.now(UTC))


class Credentials(BaseModel):
    """A person's log-in."""

    login: str = Field(max_length=64)
    password: str = Field(max_length=128)


@router.post("/api/session", status_code=204)
async def sign_in(body: Credentials, request: Request, response: Response, db: Db) -> None:
    """Sign in; the answer sets the session's cookie.

    Raises:
        NotSignedIn: the log-in is refused.
    """
    async with db.transaction(EVERYTHING) as session:
        token = await accounts.sign_in(
            session,
            body.login,
            body.password,
            now=datetime.now(UTC),
            source=request.client.host if request.client else "",
            user_agent=request.headers.get("user-agent", ""),
        )
    if token is None:
        raise NotSignedIn("Login or password is not right, or the account is locked for a while.")
    set_cookie(request, response, token)


def set_cookie(request: Request, response: Response, token: str) -> None:
    """Give the browser the session; it cannot be read by scripts nor sent from other sites, nor over plain HTTP
    where the centre is known by an https address."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=round(accounts.SESSION.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https" or request.app.state.public_url.startswith("https://"),
    )
