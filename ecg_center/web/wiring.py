"""How do the pages join the application? One call, from ``ecg_center/app.py``."""

from fastapi import FastAPI

from ecg_center.web.compression import CompressedPages
from ecg_center.web.pages import (
    account,
    calendars,
    clinic,
    days,
    directory,
    gateways,
    live,
    preferences,
    reading,
    reviewing,
    statements,
    studies,
    unmatched,
    verify,
    worklist,
)
from ecg_center.web.security import SameOriginOnly, SecurityHeaders
from ecg_center.web.static_files import STATIC_PATH, HashedStaticFiles

PAGES = (
    preferences,
    account,
    live,
    gateways,
    worklist,
    statements,
    reading,
    reviewing,
    studies,
    days,
    clinic,
    unmatched,
    directory,
    calendars,
    verify,
)


def add_pages(app: FastAPI) -> None:
    """Mount the static files and every family of pages, behind the security headers."""
    app.add_middleware(live.AsOf)
    app.add_middleware(CompressedPages)
    app.add_middleware(SameOriginOnly)
    app.add_middleware(SecurityHeaders)
    app.mount(STATIC_PATH, HashedStaticFiles(), name="static")
    for family in PAGES:
        app.include_router(family.router)
