"""Wiring only: the parts of the centre's web application, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from ecg_center import __version__
from ecg_center.contract.upload import Problem
from ecg_center.delivery.routes import router as delivery
from ecg_center.directory.routes import router as directory
from ecg_center.directory.sessions import WhoAsks
from ecg_center.domain.errors import Invalid, NotAllowed, Refused
from ecg_center.http import problem
from ecg_center.intake.parts import Parts
from ecg_center.intake.routes import router as intake
from ecg_center.intake.uploads import Uploads
from ecg_center.limits import BodyLimit
from ecg_center.preread.routes import router as preread
from ecg_center.registration.routes import router as registration
from ecg_center.reporting.routes import router as reporting
from ecg_center.review.routes import router as review
from ecg_center.settings import CenterSettings
from ecg_center.signing.service import Signatures
from ecg_center.store.blobs import Blobs
from ecg_center.store.live import Live
from ecg_center.store.session import EVERYTHING, Database
from ecg_center.store.settings import StoreSettings
from ecg_center.timeline.routes import router as timeline
from ecg_center.web.errors import error_page, status_page
from ecg_center.web.wiring import add_pages
from ecg_center.worklist.routes import router as worklist

log = structlog.get_logger(__name__)

INSUFFICIENT_PRIVILEGE = "42501"
"""PostgreSQL's SQLSTATE where row-level security or a grant refuses."""

STAGES = (directory, registration, intake, preread, worklist, reporting, review, delivery, timeline)


def create_app(store: StoreSettings, center: CenterSettings) -> FastAPI:
    """The application on this database and these folders."""
    database = Database(store.database_url)
    blobs = Blobs(store.blobs)
    live = Live(store.database_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await live.start()
        yield
        await live.stop()
        await database.close()

    app = FastAPI(title="ecg-center", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.database = database
    app.state.blobs = blobs
    app.state.live = live
    app.state.uploads = Uploads(database, Parts(store.uploads), blobs)
    app.state.signatures = Signatures(center.signing_passphrase.get_secret_value())
    app.state.public_url = center.public_url
    app.state.demo = center.demo
    app.add_middleware(WhoAsks)
    app.add_middleware(BodyLimit)
    add_pages(app)
    for stage in STAGES:
        app.include_router(stage)
    _add_operations(app)
    _add_errors(app)
    return app


def _add_operations(app: FastAPI) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz(request: Request) -> Response:
        """Whether the application reaches its database: 200 or 503."""
        try:
            async with request.app.state.database.transaction(EVERYTHING) as session:
                await session.execute(text("SELECT 1"))
        except (OSError, DBAPIError, PoolTimeoutError):
            return PlainTextResponse("database unreachable", status_code=503)
        return PlainTextResponse("ok")

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        """Prometheus metrics, to the machine itself only."""
        if request.client is None or request.client.host not in ("127.0.0.1", "::1"):
            return PlainTextResponse("metrics are served to this machine only", status_code=403)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        if _wants_page(request):
            return error_page(request, error)
        return problem(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if _wants_page(request):
            return status_page(request, 422)
        where = "; ".join(f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in error.errors()[:5])
        body = Problem(type="invalid", title="invalid request", detail=where or "the request is not valid", retry=False)
        return JSONResponse(body.model_dump(), status_code=422, media_type="application/problem+json")

    @app.exception_handler(HTTPException)
    async def bare(request: Request, error: HTTPException) -> Response:
        if _wants_page(request):
            return status_page(request, error.status_code)
        name = HTTPStatus(error.status_code).phrase.lower()
        body = Problem(type=name.replace(" ", "-"), title=name, detail=f"{name}: {request.url.path}", retry=False)
        return JSONResponse(
            body.model_dump(), error.status_code, headers=error.headers, media_type="application/problem+json"
        )

    @app.exception_handler(DBAPIError)
    async def not_storable(request: Request, error: DBAPIError) -> Response:
        """A value that PostgreSQL cannot hold is the sender's mistake; a row that may not be written is ours."""
        if isinstance(error, DataError):
            return await refused(request, Invalid("A value has characters or a size that cannot be stored."))
        if getattr(error.orig, "sqlstate", None) == INSUFFICIENT_PRIVILEGE:
            log.error("row_security_refused", path=request.url.path, error=str(error.orig).splitlines()[0])
            return await refused(request, NotAllowed("This belongs to another institution."))
        raise error

    async def unavailable(request: Request, error: Exception) -> Response:
        log.warning("database_unavailable", path=request.url.path, error=str(error).splitlines()[0])
        if _wants_page(request):
            return status_page(request, 503)
        body = Problem(
            type="database-unavailable",
            title="database unavailable",
            detail="The centre's database does not answer just now; try again in a few seconds.",
            retry=True,
        )
        return JSONResponse(
            body.model_dump(), status_code=503, media_type="application/problem+json", headers={"Retry-After": "2"}
        )

    for kind in (OperationalError, InterfaceError, PoolTimeoutError):
        app.add_exception_handler(kind, unavailable)


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith(("/api/", "/static/", "/healthz", "/metrics"))
