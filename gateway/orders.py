"""Which orders of the clinic are open, also while the clinic is cut off?

The list is asked of the centre every few seconds and kept on disk, so that after a restart without network a
recorder still finds the patients registered before. It carries its age; nobody is told that it is fresh when it is not.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import structlog
from pydantic import BaseModel, ConfigDict

from ecg_center.contract.orders import OpenOrder, OpenOrders
from gateway.centre import Centre, CentreError
from gateway.files import replace
from gateway.health import Health

log = structlog.get_logger(__name__)

POLL_S = 10.0
"""A patient walks from the desk to the recorder in more than ten seconds; unchanged lists cost one 304."""

STALE_AFTER = timedelta(minutes=5)
"""After thirty missed polls the list is told to be old."""


class _Kept(BaseModel):
    """The cache file."""

    model_config = ConfigDict(extra="ignore")

    etag: str | None
    fetched_at: datetime
    orders: OpenOrders


class OrderCache:
    """The open orders as the centre last told them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept: _Kept | None = None

    def load(self) -> None:
        """Take up what the last process left; a damaged file is as good as none, the centre has it all."""
        try:
            self._kept = _Kept.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            log.warning("order cache dropped", file=str(self._file), error=str(error).splitlines()[0])

    @property
    def etag(self) -> str | None:
        """The entity tag of the kept list."""
        return self._kept.etag if self._kept else None

    def age(self, now: datetime) -> timedelta | None:
        """How long ago the centre confirmed the list; None where there never was one."""
        return now - self._kept.fetched_at if self._kept else None

    def of(self, institution_code: str) -> list[OpenOrder]:
        """The institution's open orders, urgent first, then oldest first."""
        if self._kept is None:
            return []
        chosen = [order for order in self._kept.orders.orders if order.institution_code == institution_code]
        return sorted(chosen, key=lambda order: (not (order.urgent or order.chest_pain), order.registered_at))

    def keep(self, orders: OpenOrders, etag: str | None, now: datetime) -> None:
        """Take a new list over, first to disk."""
        kept = _Kept(etag=etag, fetched_at=now, orders=orders)
        replace(self._file, kept.model_dump_json().encode())
        self._kept = kept

    def confirm(self, now: datetime) -> None:
        """The centre said that nothing changed. Only in memory: the age after a restart errs to the old side."""
        if self._kept is not None:
            self._kept = self._kept.model_copy(update={"fetched_at": now})


async def poll_once(cache: OrderCache, centre: Centre) -> None:
    """Ask the centre once.

    Raises:
        CentreError: it did not say.
    """
    headers = {"If-None-Match": cache.etag} if cache.etag else {}
    response = await centre.request("GET", "/api/gateway/orders", headers=headers)
    now = datetime.now(UTC)
    if response.status_code == httpx.codes.NOT_MODIFIED:
        cache.confirm(now)
        return
    try:
        orders = OpenOrders.model_validate_json(response.content)
    except ValueError as error:
        raise CentreError(f"orders cannot be understood: {str(error).splitlines()[0]}") from error
    await asyncio.to_thread(cache.keep, orders, response.headers.get("ETag"), now)


async def keep_fresh(cache: OrderCache, centre: Centre, health: Health) -> None:
    """Poll until cancelled."""
    while True:
        try:
            await poll_once(cache, centre)
            health.clear("orders")
        except (CentreError, OSError) as error:
            age = cache.age(datetime.now(UTC))
            if age is None or age > STALE_AFTER:
                told = "there is none" if age is None else f"it is {int(age.total_seconds() // 60)} minutes old"
                health.report("orders", f"the list of open orders cannot be renewed, {told}")
            log.debug("orders not renewed", error=str(error))
        await asyncio.sleep(POLL_S)
