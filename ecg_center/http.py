"""What do all HTTP handlers share: who asks, which database, and how a refusal is said?

The application's middleware (``directory.sessions``) puts the caller on ``request.state``; handlers only name what
they need in their signature.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import JSONResponse

from ecg_center.contract.upload import Problem
from ecg_center.domain.authority import Principal
from ecg_center.domain.errors import NotAllowed, Refused
from ecg_center.store.blobs import Blobs
from ecg_center.store.events import Actor
from ecg_center.store.session import Database, Scope


class NotSignedIn(Refused):
    """The request carries no valid session or token."""

    code = "not-signed-in"
    http_status = 401


class Gateway:
    """A gateway (or a clinic's system) that presented its token, and the institutions that it serves."""

    def __init__(self, gateway_id: UUID, name: str, institutions: dict[str, UUID], source: str) -> None:
        self.id = gateway_id
        self.name = name
        self.institutions = institutions
        """Institution id by code."""
        self.source = source

    @property
    def scope(self) -> Scope:
        """It sees the institutions that it serves."""
        return Scope(institutions=tuple(self.institutions.values()))

    @property
    def actor(self) -> Actor:
        """The gateway as the timeline names it."""
        return Actor("gateway", self.name, self.id, self.source)

    def institution(self, code: str) -> UUID:
        """The id of an institution that this gateway serves.

        Raises:
            NotAllowed: it does not serve this one.
        """
        if code not in self.institutions:
            raise NotAllowed("Gateway {name} does not serve institution {code}.", name=self.name, code=code)
        return self.institutions[code]


def database(request: Request) -> Database:
    """The application's database."""
    found: Database = request.app.state.database
    return found


def blobs(request: Request) -> Blobs:
    """The application's blob store."""
    found: Blobs = request.app.state.blobs
    return found


def signed_in(request: Request) -> Principal:
    """The person who asks.

    Raises:
        NotSignedIn: nobody is signed in.
    """
    principal: Principal | None = getattr(request.state, "person", None)
    if principal is None:
        raise NotSignedIn("Sign in first.")
    return principal


def gateway(request: Request) -> Gateway:
    """The gateway that asks.

    Raises:
        NotSignedIn: no valid token.
    """
    found: Gateway | None = getattr(request.state, "gateway", None)
    if found is None:
        raise NotSignedIn(
            "The gateway's token is missing or unknown: set [gateway] token to the one the centre issued."
        )
    return found


Db = Annotated[Database, Depends(database)]
BlobStore = Annotated[Blobs, Depends(blobs)]
SignedIn = Annotated[Principal, Depends(signed_in)]
FromGateway = Annotated[Gateway, Depends(gateway)]


def problem(error: Refused) -> JSONResponse:
    """A refusal as the API says it (RFC 9457)."""
    body = Problem(type=error.code, title=error.code.replace("-", " "), detail=str(error), retry=error.retry)
    return JSONResponse(body.model_dump(), status_code=error.http_status, media_type="application/problem+json")
