"""Would a gateway with these settings work, and if not, what has to be done?"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

from gateway.centre import Centre, CentreError, CentreRefusalError
from gateway.files import free_bytes, replace
from gateway.ipp import Printer, PrinterError
from gateway.printing import MEDIA, reasons_in_words
from gateway.settings import GatewaySettings

BROKER_S = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried."""

    what: str
    good: bool
    says: str


async def run_checks(settings: GatewaySettings) -> list[Finding]:
    """Try everything, each on its own."""
    checks: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        ("disk", lambda: asyncio.to_thread(_disk, settings)),
        ("devices", lambda: asyncio.to_thread(_devices, settings)),
        ("centre", lambda: _centre(settings)),
    ]
    if settings.mqtt.enabled:
        checks.append(("broker", lambda: _broker(settings)))
    for code, uri in sorted(settings.printers.items()):
        checks.append((f"printer of {code}", lambda uri=uri: _printer(uri, settings)))  # type: ignore[misc]
    return [await _try(what, check) for what, check in checks]


async def _try(what: str, check: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(what, True, await check())
    except (OSError, ValueError, CentreError, PrinterError) as error:
        return Finding(what, False, str(error) or type(error).__name__)


def _disk(settings: GatewaySettings) -> str:
    settings.spool.mkdir(parents=True, exist_ok=True)
    probe = settings.spool / f".check-{uuid4().hex}"
    started = time.monotonic()
    replace(probe, b"check")
    took_ms = (time.monotonic() - started) * 1000
    probe.unlink()
    free = free_bytes(settings.spool)
    if free <= settings.reserve_bytes:
        raise ValueError(f"{free} bytes free, all of them reserved (`reserve_bytes`); free some space")
    return f"{settings.spool}: {free // 2**20} MiB free, a durable write takes {took_ms:.1f} ms"


def _devices(settings: GatewaySettings) -> str:
    if not settings.devices:
        raise ValueError("no device is listed in [gateway.devices]; every recorder would be refused")
    return f"{len(settings.devices)} devices of {len(set(settings.devices.values()))} institutions"


async def _centre(settings: GatewaySettings) -> str:
    centre = Centre(settings)
    started = time.monotonic()
    try:
        response = await centre.request("GET", "/api/gateway/orders")
    except CentreRefusalError as error:
        if error.status == 401:
            raise ValueError(f"{settings.centre_url} does not know this token; set a valid `token`") from None
        raise
    finally:
        await centre.close()
    count = len(response.json().get("orders", []))
    return f"{settings.centre_url} answers in {(time.monotonic() - started) * 1000:.0f} ms, {count} open orders"


async def _broker(settings: GatewaySettings) -> str:
    from aiomqtt import Client, MqttError, ProtocolVersion, TLSParameters  # noqa: PLC0415

    ours = settings.mqtt
    parts = urlsplit(ours.url)
    secure = parts.scheme == "mqtts"
    tls = TLSParameters(ca_certs=str(ours.ca_file) if ours.ca_file else None) if secure else None
    try:
        async with Client(
            parts.hostname or "",
            parts.port or (8883 if secure else 1883),
            username=ours.username,
            password=ours.password.get_secret_value() if ours.password else None,
            identifier=f"{ours.client_id}-check",
            protocol=ProtocolVersion.V5,
            tls_params=tls,
            timeout=BROKER_S,
        ):
            return f"{ours.url} lets the gateway in"
    except MqttError as error:
        raise ValueError(f"{ours.url}: {error}; check url, username and password in [gateway.mqtt]") from error


async def _printer(uri: str, settings: GatewaySettings) -> str:
    said = await Printer(uri, verify_tls=settings.verify_printer_tls).state()
    formats = said.get("document-format-supported", [])
    if "application/pdf" not in formats:
        raise ValueError(f"{uri} cannot print PDF, only {', '.join(map(str, formats))}; print through a CUPS queue")
    if said.get("printer-is-accepting-jobs", [True])[0] is False:
        raise ValueError(f"{uri} accepts no jobs")
    notes = reasons_in_words(said.get("printer-state-reasons", []))
    if MEDIA not in said.get("media-supported", [MEDIA]):
        notes.append("It does not name A4 among its papers.")
    model = " ".join(map(str, said.get("printer-make-and-model", ["printer"])))
    return " ".join([f"{model} at {uri} is ready.", *notes])
