"""What does a printer answer that prints into a folder?

A small IPP/1.1 and 2.0 printer (RFC 8011) for machines without ``ippeveprinter``: it takes PDF, needs a moment for
each job like a printer does, and then the page lies in its folder as ``{job-id}-{job-name}.pdf``. It refuses what it
cannot do and says why. Jobs are forgotten at the end of the process, pages are not.

Run by ``gateway.simulate.printer.start_printer``; by hand: ``ecg-gateway simulate printer``.
"""

import argparse
import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import structlog
import uvicorn
from pyipp.enums import IppJobState, IppOperation, IppPrinterState, IppStatus, IppTag

from gateway import files
from gateway.simulate.ipp_messages import Answer, Attribute, IppSyntaxError, Request, decode, keywords

log = structlog.get_logger()

PATH: Final = "/ipp/print"
MAX_REQUEST_BYTES: Final = 64 * 1024 * 1024
"""A report is a few hundred kilobytes."""
MAX_JOBS: Final = 1000
"""Finished jobs that the printer still remembers, oldest forgotten first."""
SECONDS_PER_JOB: Final = 0.4
"""A small laser printer needs seconds; the demo does not have to wait so long."""

PDF: Final = "application/pdf"
DOCUMENT_FORMAT_ERROR: Final = 0x0411
"""RFC 8011 appendix B.1.4.18; pyipp's list is one too low from 0x0410 on."""
VERSIONS: Final = ((1, 0), (1, 1), (2, 0))
OPERATIONS: Final = (
    IppOperation.PRINT_JOB,
    IppOperation.VALIDATE_JOB,
    IppOperation.CANCEL_JOB,
    IppOperation.GET_JOB_ATTRIBUTES,
    IppOperation.GET_JOBS,
    IppOperation.GET_PRINTER_ATTRIBUTES,
)
FINAL_STATES: Final = {IppJobState.CANCELED, IppJobState.ABORTED, IppJobState.COMPLETED}
REASONS: Final = {
    IppJobState.PENDING: "none",
    IppJobState.PROCESSING: "job-printing",
    IppJobState.CANCELED: "job-canceled-by-user",
    IppJobState.COMPLETED: "job-completed-successfully",
}


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Job:
    """One print job."""

    job_id: int
    name: str
    user: str
    page: Path
    size: int
    created_s: int
    state: IppJobState = IppJobState.PENDING
    processing_s: int | None = None
    completed_s: int | None = None


@dataclass(slots=True)
class FolderPrinter:
    """The printer: jobs in, pages into a folder."""

    name: str
    uri: str
    folder: Path
    seconds_per_job: float = SECONDS_PER_JOB
    jobs: dict[int, Job] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    queue: "asyncio.Queue[int]" = field(default_factory=asyncio.Queue)
    last_id: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(m[1]) for path in self.folder.iterdir() if (m := re.match(r"\.?(\d+)-", path.name))]
        self.last_id = max(numbers, default=0)

    def answer(self, raw: bytes) -> bytes:
        """One IPP request's answer."""
        try:
            request = decode(raw)
        except IppSyntaxError as error:
            return _refusal((1, 1), IppStatus.ERROR_BAD_REQUEST, 1, str(error)).encode()
        version = request.version if request.version in VERSIONS else (2, 0)
        try:
            self._check(request)
            answer = self._operation(request)
        except _RefusedError as error:
            answer = _refusal(version, error.status, request.request_id, str(error))
        answer.version = version
        return answer.encode()

    async def print_jobs(self) -> None:
        """Print one job after the other, for ever."""
        while True:
            job = self.jobs.get(await self.queue.get())
            if job is None or job.state in FINAL_STATES:
                continue
            job.state, job.processing_s = IppJobState.PROCESSING, self.up_time_s
            await asyncio.sleep(self.seconds_per_job)
            # cancelled while printing: the type checker cannot know that another request came meanwhile
            if self.jobs[job.job_id].state is IppJobState.PROCESSING:
                hidden = job.page.with_name(f".{job.page.name}")
                await asyncio.to_thread(hidden.replace, job.page)
                await asyncio.to_thread(files.sync_folder, self.folder)
                job.state, job.completed_s = IppJobState.COMPLETED, self.up_time_s
                log.info("page_printed", printer=self.name, job_id=job.job_id, page=str(job.page))

    @property
    def up_time_s(self) -> int:
        """``printer-up-time``: at least 1 (RFC 8011 section 5.4.29)."""
        return int(time.monotonic() - self.started) + 1

    def _check(self, request: Request) -> None:
        if request.version not in VERSIONS:
            message = f"IPP {request.version[0]}.{request.version[1]} is not spoken here: 1.1 or 2.0"
            raise _RefusedError(IppStatus.ERROR_VERSION_NOT_SUPPORTED, message)
        if request.request_id < 1:
            raise _RefusedError(IppStatus.ERROR_BAD_REQUEST, "the request id must be 1 or more")
        # RFC 8011 section 4.1.4: these two, first and in this order
        if request.first_names[:2] != ["attributes-charset", "attributes-natural-language"]:
            message = "attributes-charset and attributes-natural-language must come first"
            raise _RefusedError(IppStatus.ERROR_BAD_REQUEST, message)
        if request.text("attributes-charset") not in {"utf-8", "us-ascii"}:
            raise _RefusedError(IppStatus.ERROR_CHARSET, "this printer speaks utf-8")
        if request.text("printer-uri") is None and request.text("job-uri") is None:
            raise _RefusedError(IppStatus.ERROR_BAD_REQUEST, "printer-uri is missing")

    def _operation(self, request: Request) -> Answer:
        operations: dict[int, Callable[[Request], Answer]] = {
            IppOperation.PRINT_JOB: self._print_job,
            IppOperation.VALIDATE_JOB: self._validate_job,
            IppOperation.CANCEL_JOB: self._cancel_job,
            IppOperation.GET_JOB_ATTRIBUTES: self._get_job,
            IppOperation.GET_JOBS: self._get_jobs,
            IppOperation.GET_PRINTER_ATTRIBUTES: self._get_printer,
        }
        if request.operation not in operations:
            message = f"operation 0x{request.operation:04x} is not supported; use Print-Job"
            raise _RefusedError(IppStatus.ERROR_OPERATION_NOT_SUPPORTED, message)
        return operations[request.operation](request)

    def _validate_job(self, request: Request) -> Answer:
        document_format = request.text("document-format") or PDF
        if document_format not in {PDF, "application/octet-stream"}:
            message = f"{document_format} cannot be printed; send {PDF}"
            raise _RefusedError(IppStatus.ERROR_DOCUMENT_FORMAT_NOT_SUPPORTED, message)
        if (request.text("compression") or "none") != "none":
            raise _RefusedError(IppStatus.ERROR_COMPRESSION_ERROR, "send the document without compression")
        return _ok(request)

    def _print_job(self, request: Request) -> Answer:
        answer = self._validate_job(request)
        if not request.document.startswith(b"%PDF-"):
            raise _RefusedError(DOCUMENT_FORMAT_ERROR, "the document is not a PDF")
        self._forget_old_jobs()
        self.last_id += 1
        name = request.text("job-name") or request.text("document-name") or "untitled"
        safe = re.sub(r"[^\w.-]+", "_", name)[:80].strip("._") or "untitled"
        page = self.folder / f"{self.last_id}-{safe.removesuffix('.pdf')}.pdf"
        # hidden until it is printed, so that a page in the folder is a page on paper
        files.replace(page.with_name(f".{page.name}"), request.document)
        user = request.text("requesting-user-name") or "anonymous"
        job = Job(self.last_id, name, user, page, len(request.document), self.up_time_s)
        self.jobs[job.job_id] = job
        self.queue.put_nowait(job.job_id)
        answer.groups.append((IppTag.JOB, [a for a in self._job(job) if a[0] in _PRINT_JOB_ANSWER]))
        return answer

    def _cancel_job(self, request: Request) -> Answer:
        job = self._wanted_job(request)
        if job.state in FINAL_STATES:
            raise _RefusedError(IppStatus.ERROR_NOT_POSSIBLE, f"job {job.job_id} is already {job.state.name.lower()}")
        job.state, job.completed_s = IppJobState.CANCELED, self.up_time_s
        job.page.with_name(f".{job.page.name}").unlink(missing_ok=True)
        return _ok(request)

    def _get_job(self, request: Request) -> Answer:
        answer = _ok(request)
        answer.groups.append((IppTag.JOB, _chosen(request, self._job(self._wanted_job(request)), _JOB_GROUPS)))
        return answer

    def _get_jobs(self, request: Request) -> Answer:
        which = request.text("which-jobs") or "not-completed"
        if which not in {"completed", "not-completed"}:
            message = f"which-jobs {which}: completed or not-completed"
            raise _RefusedError(IppStatus.ERROR_ATTRIBUTES_OR_VALUES, message)
        jobs = [job for job in self.jobs.values() if (job.state in FINAL_STATES) == (which == "completed")]
        if request.attributes.get("my-jobs") == [True]:
            jobs = [job for job in jobs if job.user == request.text("requesting-user-name")]
        if which == "completed":
            jobs.reverse()
        answer = _ok(request)
        # RFC 8011 section 4.2.6.1: without a wish, only these two
        default = [] if "requested-attributes" in request.attributes else ["job-uri", "job-id"]
        for job in jobs[: request.number("limit") or MAX_JOBS]:
            answer.groups.append((IppTag.JOB, _chosen(request, self._job(job), _JOB_GROUPS, default)))
        return answer

    def _get_printer(self, request: Request) -> Answer:
        answer = _ok(request)
        answer.groups.append((IppTag.PRINTER, _chosen(request, self._printer(), _PRINTER_GROUPS)))
        return answer

    def _wanted_job(self, request: Request) -> Job:
        uri = request.text("job-uri")
        number = request.number("job-id")
        if uri is not None and (match := re.search(r"/(\d+)$", uri)):
            number = int(match[1])
        if number is None:
            raise _RefusedError(IppStatus.ERROR_BAD_REQUEST, "job-id is missing")
        if number not in self.jobs:
            raise _RefusedError(IppStatus.ERROR_NOT_FOUND, f"job {number} is not known here")
        return self.jobs[number]

    def _forget_old_jobs(self) -> None:
        finished = [job.job_id for job in self.jobs.values() if job.state in FINAL_STATES]
        for job_id in finished[: max(0, len(self.jobs) + 1 - MAX_JOBS)]:
            del self.jobs[job_id]
        if len(self.jobs) >= MAX_JOBS:
            raise _RefusedError(IppStatus.ERROR_BUSY, "the queue is full; send the job later")

    def _job(self, job: Job) -> list[Attribute]:
        def moment(name: str, seconds: int | None) -> Attribute:
            return (name, IppTag.NO_VALUE, (b"",)) if seconds is None else (name, IppTag.INTEGER, (seconds,))

        done = job.state is IppJobState.COMPLETED
        return [
            ("job-id", IppTag.INTEGER, (job.job_id,)),
            ("job-uri", IppTag.URI, (f"{self.uri}/{job.job_id}",)),
            ("job-printer-uri", IppTag.URI, (self.uri,)),
            ("job-state", IppTag.ENUM, (int(job.state),)),
            keywords("job-state-reasons", [REASONS[job.state]]),
            ("job-state-message", IppTag.TEXT, (f"{job.state.name.lower()} into {self.folder}"[:1000],)),
            ("job-name", IppTag.NAME, (job.name,)),
            ("job-originating-user-name", IppTag.NAME, (job.user,)),
            ("job-k-octets", IppTag.INTEGER, (-(-job.size // 1024),)),
            ("job-impressions-completed", IppTag.INTEGER, (1 if done else 0,)),
            ("job-printer-up-time", IppTag.INTEGER, (self.up_time_s,)),
            moment("time-at-creation", job.created_s),
            moment("time-at-processing", job.processing_s),
            moment("time-at-completed", job.completed_s),
        ]

    def _printer(self) -> list[Attribute]:
        waiting = sum(job.state not in FINAL_STATES for job in self.jobs.values())
        state = IppPrinterState.PROCESSING if waiting else IppPrinterState.IDLE
        return [
            ("printer-state", IppTag.ENUM, (int(state),)),
            ("queued-job-count", IppTag.INTEGER, (waiting,)),
            ("printer-up-time", IppTag.INTEGER, (self.up_time_s,)),
            ("printer-uri-supported", IppTag.URI, (self.uri,)),
            ("printer-name", IppTag.NAME, (self.name[:127],)),
            ("printer-info", IppTag.TEXT, (f"{self.name} (simulated)"[:127],)),
            ("printer-uuid", IppTag.URI, (f"urn:uuid:{uuid5(NAMESPACE_URL, self.uri)}",)),
            *_CONSTANT_ATTRIBUTES,
        ]


_PRINT_JOB_ANSWER: Final = {"job-id", "job-uri", "job-state", "job-state-reasons", "job-state-message"}
_PRINTER_GROUPS: Final = {"all", "printer-description", "job-template"}
_JOB_GROUPS: Final = {"all", "job-description", "job-template"}

_CONSTANT_ATTRIBUTES: Final[Sequence[Attribute]] = (
    keywords("uri-authentication-supported", ["none"]),
    keywords("uri-security-supported", ["none"]),
    keywords("printer-state-reasons", ["none"]),
    keywords("ipp-versions-supported", ["1.1", "2.0"]),
    ("operations-supported", IppTag.ENUM, tuple(int(operation) for operation in OPERATIONS)),
    ("charset-configured", IppTag.CHARSET, ("utf-8",)),
    ("charset-supported", IppTag.CHARSET, ("us-ascii", "utf-8")),
    ("natural-language-configured", IppTag.LANGUAGE, ("en",)),
    ("generated-natural-language-supported", IppTag.LANGUAGE, ("en",)),
    ("document-format-default", IppTag.MIME_TYPE, (PDF,)),
    ("document-format-supported", IppTag.MIME_TYPE, (PDF, "application/octet-stream")),
    keywords("compression-supported", ["none"]),
    keywords("pdl-override-supported", ["attempted"]),
    ("printer-is-accepting-jobs", IppTag.BOOLEAN, (True,)),
    ("multiple-document-jobs-supported", IppTag.BOOLEAN, (False,)),
    ("color-supported", IppTag.BOOLEAN, (True,)),
    ("pages-per-minute", IppTag.INTEGER, (int(60 / SECONDS_PER_JOB),)),
    ("printer-make-and-model", IppTag.TEXT, ("ECG-CENTER SIMULATOR folder printer",)),
    ("printer-location", IppTag.TEXT, ("this machine",)),
    ("copies-default", IppTag.INTEGER, (1,)),
    ("copies-supported", IppTag.RANGE, ((1, 1),)),
    keywords("media-default", ["iso_a4_210x297mm"]),
    keywords("media-supported", ["iso_a4_210x297mm"]),
    keywords("media-ready", ["iso_a4_210x297mm"]),
    keywords("print-scaling-default", ["none"]),
    keywords("print-scaling-supported", ["none"]),
    keywords("sides-default", ["one-sided"]),
    keywords("sides-supported", ["one-sided"]),
    ("orientation-requested-default", IppTag.NO_VALUE, (b"",)),
    ("orientation-requested-supported", IppTag.ENUM, (3, 4)),
    keywords("job-creation-attributes-supported", ["copies", "job-name", "media", "print-scaling", "sides"]),
)


def _ok(request: Request) -> Answer:
    return Answer(request.version, int(IppStatus.OK), request.request_id)


def _refusal(version: tuple[int, int], status: int, request_id: int, message: str) -> Answer:
    log.info("ipp_refused", status=f"0x{status:04x}", message=message)
    return Answer(version, status, request_id, [("status-message", IppTag.TEXT, (message[:255],))])


def _chosen(
    request: Request, attributes: list[Attribute], groups: set[str], default: Sequence[str] = ()
) -> list[Attribute]:
    """Those that were asked for by name or by the name of a group; all without a wish."""
    wanted = {value for value in request.attributes.get("requested-attributes", default) if isinstance(value, str)}
    return attributes if not wanted or wanted & groups else [a for a in attributes if a[0] in wanted]


Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class IppApplication:
    """The printer behind HTTP (RFC 8010 section 4), as an ASGI application."""

    def __init__(self, printer: FolderPrinter) -> None:
        self.printer = printer

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One HTTP request."""
        assert scope["type"] == "http"
        headers = dict(scope["headers"])
        if scope["method"] != "POST" or headers.get(b"content-type", b"").split(b";")[0] != b"application/ipp":
            text = f"{self.printer.name}: a simulated printer. Print to {self.printer.uri}\n".encode()
            status = 200 if scope["method"] in {"GET", "HEAD"} else 415
            await _respond(send, status, b"text/plain; charset=utf-8", text)
            return
        body = await _body(receive)
        if body is None:
            await _respond(send, 413, b"text/plain", b"the document is too large\n")
            return
        await _respond(send, 200, b"application/ipp", self.printer.answer(body))


async def _body(receive: Receive) -> bytes | None:
    parts, size = [], 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_REQUEST_BYTES:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def _respond(send: Send, status: int, media_type: bytes, body: bytes) -> None:
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def serve(name: str, folder: Path, port: int, host: str = "127.0.0.1") -> None:
    """Run the printer until the process is asked to end (SIGTERM, SIGINT)."""
    printer = FolderPrinter(name, f"ipp://{host}:{port}{PATH}", folder)
    config = uvicorn.Config(IppApplication(printer), host=host, port=port, log_level="warning", lifespan="off")
    printing = asyncio.create_task(printer.print_jobs())
    try:
        await uvicorn.Server(config).serve()
    finally:
        printing.cancel()


def main() -> None:
    """The process that ``start_printer`` starts."""
    parser = argparse.ArgumentParser(description="A simulated IPP printer that prints into a folder.")
    parser.add_argument("--name", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.name, arguments.folder, arguments.port))


if __name__ == "__main__":
    main()
