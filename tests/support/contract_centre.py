"""A small honest centre for tests of the gateway: the contract's endpoints on real HTTP, bytes on disk.

It is no mock of the real centre: it keeps what it is sent, checks every checksum and offset, and counts what it took
over, so that a test can say "exactly once". ``Line`` is a TCP proxy before it that can be cut.
"""

import asyncio
import contextlib
import hashlib
import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import uvicorn
from fastapi import FastAPI, Request, Response

from ecg_center.contract.orders import OpenOrder, OpenOrders
from ecg_center.contract.printing import Heartbeat, PrintOutcome, PrintTask, PrintTasks
from ecg_center.contract.upload import Problem, Receipt, UploadOffer, UploadStatus

TOKEN = "token-of-the-gateway"


class ContractCentre:
    """State on disk below ``folder``; runs in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts = folder / "parts"
        self.stored = folder / "stored"
        for made in (self.parts, self.stored):
            made.mkdir(parents=True, exist_ok=True)
        self.offers: dict[str, UploadOffer] = {}
        self.receipts: dict[str, Receipt] = {}
        self.taken: list[str] = []
        """SHA-256 of each recording at the moment it was taken over: once each, or something is wrong."""
        self.taken_at: dict[str, float] = {}
        self.requests = 0
        self.refuse_with: Problem | None = None
        self.refuse_status = 403
        self.fail_next = 0
        """So many requests get 503."""
        self.orders: list[OpenOrder] = []
        self.orders_not_modified = 0
        self.prints: dict[UUID, PrintTask] = {}
        self.pdfs: dict[UUID, bytes] = {}
        self.outcomes: list[tuple[UUID, PrintOutcome]] = []
        self.heartbeats: list[Heartbeat] = []
        self.port = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    # -- running ----------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "ContractCentre":
        config = uvicorn.Config(self.app(), host="127.0.0.1", port=self.port, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        return self

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = self._server.force_exit = True
            self._thread.join(10)
            self._server = None

    # -- the contract -----------------------------------------------------------------------------------------

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.middleware("http")
        async def gate(request: Request, call_next):  # type: ignore[no-untyped-def]
            self.requests += 1
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                return _problem(401, "not-signed-in", retry=False)
            if self.fail_next > 0:
                self.fail_next -= 1
                return Response("busy", 503)
            return await call_next(request)

        app.post("/api/gateway/uploads")(self.offer)
        app.patch("/api/gateway/uploads/{sha256}")(self.append)
        app.get("/api/gateway/orders")(self.get_orders)
        app.get("/api/gateway/prints")(self.get_prints)
        app.get("/api/gateway/prints/{delivery_id}/pdf")(self.get_pdf)
        app.post("/api/gateway/prints/{delivery_id}/outcome")(self.post_outcome)
        app.post("/api/gateway/heartbeat")(self.post_heartbeat)
        return app

    async def offer(self, body: UploadOffer) -> Response:
        if self.refuse_with is not None:
            return Response(self.refuse_with.model_dump_json(), self.refuse_status)
        self.offers[body.sha256] = body
        if (receipt := self.receipts.get(body.sha256)) is not None:
            held = receipt.model_copy(update={"duplicate": True})
            return _status(body.sha256, body.size_bytes, held)
        part = self.parts / body.sha256
        offset = part.stat().st_size if part.exists() else 0
        return self._complete(body.sha256) if offset == body.size_bytes else _status(body.sha256, offset)

    async def append(self, sha256: str, request: Request) -> Response:
        offer = self.offers.get(sha256)
        if offer is None:
            return _problem(404, "not-found", retry=False)
        chunk = await request.body()
        part = self.parts / sha256
        offset = part.stat().st_size if part.exists() else 0
        if sha256 in self.receipts:
            return _status(sha256, offer.size_bytes, self.receipts[sha256])
        if int(request.headers["upload-offset"]) != offset:
            return _problem(409, "upload-offset", retry=False)
        with part.open("ab") as file:
            file.write(chunk)
        offset += len(chunk)
        return self._complete(sha256) if offset == offer.size_bytes else _status(sha256, offset)

    def _complete(self, sha256: str) -> Response:
        part = self.parts / sha256
        if hashlib.sha256(part.read_bytes()).hexdigest() != sha256:
            part.unlink()
            return _problem(409, "upload-checksum", retry=False)
        part.rename(self.stored / sha256)
        receipt = Receipt(
            recording_id=uuid4(), study_id=uuid4(), stored_at=datetime.now(UTC), duplicate=False, matched=True
        )
        self.receipts[sha256] = receipt
        self.taken.append(sha256)
        self.taken_at[sha256] = time.time()
        return _status(sha256, self.offers[sha256].size_bytes, receipt)

    async def get_orders(self, request: Request) -> Response:
        body = json.dumps([json.loads(order.model_dump_json()) for order in self.orders])
        etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == etag:
            self.orders_not_modified += 1
            return Response(status_code=304, headers={"ETag": etag})
        orders = OpenOrders(as_of=datetime.now(UTC), orders=self.orders)
        return Response(orders.model_dump_json(), headers={"ETag": etag}, media_type="application/json")

    async def get_prints(self, wait_s: float = 0) -> PrintTasks:
        deadline = time.monotonic() + wait_s
        while not self.prints and time.monotonic() < deadline and self._server and not self._server.should_exit:
            await asyncio.sleep(0.02)
        return PrintTasks(tasks=list(self.prints.values()))

    async def get_pdf(self, delivery_id: UUID) -> Response:
        if delivery_id not in self.pdfs:
            return _problem(404, "not-found", retry=False)
        return Response(self.pdfs[delivery_id], media_type="application/pdf")

    async def post_outcome(self, delivery_id: UUID, body: PrintOutcome) -> Response:
        if delivery_id not in self.pdfs:
            return _problem(404, "not-found", retry=False)
        self.outcomes.append((delivery_id, body))
        if body.state == "printed":
            self.prints.pop(delivery_id, None)
        return Response(status_code=204)

    async def post_heartbeat(self, body: Heartbeat) -> Response:
        self.heartbeats.append(body)
        return Response(status_code=204)

    def order_print(self, pdf: bytes, institution_code: str = "C01", urgent: bool = False) -> UUID:
        """A released report for a clinic's printer."""
        delivery_id = uuid4()
        self.pdfs[delivery_id] = pdf
        self.prints[delivery_id] = PrintTask(
            delivery_id=delivery_id,
            institution_code=institution_code,
            accession_number="E20260302001",
            report_version=1,
            urgent=urgent,
            pdf_sha256=hashlib.sha256(pdf).hexdigest(),
            pdf_size_bytes=len(pdf),
            released_at=datetime.now(UTC),
        )
        return delivery_id

    def states(self, delivery_id: UUID) -> list[str]:
        """The outcomes of a delivery, in order."""
        return [outcome.state for key, outcome in self.outcomes if key == delivery_id]


def _status(sha256: str, offset: int, receipt: Receipt | None = None) -> Response:
    status = UploadStatus(sha256=sha256, offset_bytes=offset, receipt=receipt)
    return Response(status.model_dump_json(), media_type="application/json")


def _problem(status: int, name: str, *, retry: bool) -> Response:
    body = Problem(type=name, title=name, detail=name, retry=retry)
    return Response(body.model_dump_json(), status, media_type="application/problem+json")


class Line:
    """A TCP line to a port that can be cut: at once, or after so many bytes."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = 0
        self.cut_after: int | None = None
        """Bytes towards the server until the next cut; then it heals by itself."""
        self.down = False
        self.cuts = 0
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Line":
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def cut(self) -> None:
        """End every connection now."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        self.cuts += 1
        for writer in list(self._writers):
            writer.transport.abort()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.transport.abort()
            return
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, there_writer}
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(self._pump(reader, there_writer, up=True), self._pump(there_reader, writer, up=False))
        self._writers -= {writer, there_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        while data := await reader.read(16 * 1024):
            if up and self.cut_after is not None:
                self.cut_after -= len(data)
                if self.cut_after <= 0:
                    self.cut_after = None
                    self._cut()
                    return
            writer.write(data)
            await writer.drain()
        writer.close()
