"""How does one speak to a printer, in the four operations that a report needs?

IPP/2.0 over HTTP (RFC 8010 encoding, RFC 8011 operations): Print-Job, Get-Job-Attributes, Get-Jobs, and
Get-Printer-Attributes. Our own because pyipp 0.17 leaves out attributes that it has no tag for (``print-scaling``,
without which a printer shrinks the page and 25 mm/s are no longer true) and cannot read an empty attribute group, which
a client MUST accept (RFC 8011 section 4.1.7).
"""

import itertools
import ssl
import struct
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

PRINT_JOB, GET_JOB_ATTRIBUTES, GET_JOBS, GET_PRINTER_ATTRIBUTES = 0x0002, 0x0009, 0x000A, 0x000B

# RFC 8010 section 3.5: delimiter and value tags
OPERATION_GROUP, JOB_GROUP, END, PRINTER_GROUP, UNSUPPORTED_GROUP = 0x01, 0x02, 0x03, 0x04, 0x05
INTEGER, BOOLEAN, ENUM = 0x21, 0x22, 0x23
BEGIN_COLLECTION, END_COLLECTION, MEMBER_NAME = 0x34, 0x37, 0x4A
TEXT_WITH_LANGUAGE, NAME_WITH_LANGUAGE = 0x35, 0x36
NAME, KEYWORD, URI, CHARSET, LANGUAGE, MIME = 0x42, 0x44, 0x45, 0x47, 0x48, 0x49

NOT_FOUND = 0x0406
"""client-error-not-found: the printer no longer knows the job."""

BUSY = 0x0507
"""server-error-busy: small printers take one job at a time."""

STATUS_WORDS = {
    0x0401: "the printer forbids it",
    0x0402: "the printer wants a password",
    0x0403: "the printer does not accept this gateway",
    0x0404: "the request was not possible",
    0x0405: "the printer timed out",
    0x0406: "the printer knows nothing of it",
    0x0408: "the report is too large for the printer",
    0x040A: "the printer cannot print PDF; print through a CUPS queue instead",
    0x0500: "the printer has an internal error",
    0x0501: "the printer does not support this operation",
    0x0502: "the printer's service is not available",
    0x0504: "the printer has a fault; look at its panel",
    0x0505: "the printer is in a temporary error",
    0x0506: "the printer is not accepting jobs",
    0x0507: "the printer is busy",
    0x0508: "the job was canceled",
}
"""RFC 8011 appendix B.1.4 and B.1.5, for people."""

CONNECT_S, ANSWER_S, PRINT_S = 5.0, 15.0, 120.0
"""A printer in power save takes some ten seconds to wake; one that receives a job over a slow line, minutes."""

MAX_ANSWER_BYTES = 4 * 1024**2
"""Get-Jobs of a long history; a printer that says more is not listened to."""

_request_ids = itertools.count(1)


class PrinterError(Exception):
    """The printer did not do it; the message says what a person can do."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        """IPP status code; None where no IPP answer came."""


class PrinterUnreachableError(PrinterError):
    """No printer answers at the address; whether it got the request is not known."""


Attributes = dict[str, list[Any]]


@dataclass(slots=True)
class Answer:
    """A decoded response."""

    status: int
    operation: Attributes = field(default_factory=dict)
    jobs: list[Attributes] = field(default_factory=list)
    printer: Attributes = field(default_factory=dict)


def encode(operation: int, groups: list[tuple[int, list[tuple[int, str, Any]]]], document: bytes = b"") -> bytes:
    """A request (RFC 8010 section 3.1.1): groups of (tag, name, value or list of values)."""
    parts = [struct.pack(">BBHI", 2, 0, operation, next(_request_ids) & 0x7FFFFFFF)]
    for group, attributes in groups:
        parts.append(bytes([group]))
        for tag, name, said in attributes:
            for index, value in enumerate(said if isinstance(said, list) else [said]):
                parts.append(_attribute(tag, "" if index else name, value))
    return b"".join([*parts, bytes([END]), document])


def _attribute(tag: int, name: str, value: Any) -> bytes:
    if tag in {INTEGER, ENUM}:
        data = struct.pack(">i", value)
    elif tag == BOOLEAN:
        data = b"\x01" if value else b"\x00"
    else:
        data = str(value).encode()
    key = name.encode()
    return struct.pack(">BH", tag, len(key)) + key + struct.pack(">H", len(data)) + data


def decode(data: bytes) -> Answer:
    """A response. Values of kinds that nobody asks for are kept as bytes.

    Raises:
        ValueError: it is not IPP, or cut off.
    """
    try:
        _, _, status, _ = struct.unpack_from(">BBHI", data)
        answer, group, at = Answer(status), {}, 8
        name, depth = "", 0
        while data[at] != END:
            tag = data[at]
            at += 1
            if tag <= 0x0F:  # a delimiter; a group may be empty
                group = _open_group(answer, tag)
                continue
            key, at = _field(data, at)
            raw, at = _field(data, at)
            if tag == BEGIN_COLLECTION:
                depth += 1
            elif tag == END_COLLECTION:
                depth -= 1
            elif depth == 0:
                name = key.decode() or name
                group.setdefault(name, []).append(_value(tag, raw))
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"not an IPP answer: {error}") from None
    return answer


def _open_group(answer: Answer, tag: int) -> Attributes:
    if tag == OPERATION_GROUP:
        return answer.operation
    if tag == PRINTER_GROUP:
        return answer.printer
    if tag == JOB_GROUP:
        answer.jobs.append({})
        return answer.jobs[-1]
    return {}


def _field(data: bytes, at: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from(">H", data, at)
    end = at + 2 + length
    if end > len(data):
        raise IndexError("cut off")
    return data[at + 2 : end], end


def _value(tag: int, raw: bytes) -> Any:
    if tag in {INTEGER, ENUM}:
        return struct.unpack(">i", raw)[0]
    if tag == BOOLEAN:
        return raw != b"\x00"
    if tag in {TEXT_WITH_LANGUAGE, NAME_WITH_LANGUAGE}:
        _, at = _field(raw, 0)
        return _field(raw, at)[0].decode("utf-8", "replace")
    if 0x40 <= tag <= 0x5F:  # character strings
        return raw.decode("utf-8", "replace")
    return raw


class Printer:
    """One printer at its ``ipp://`` or ``ipps://`` address."""

    def __init__(self, uri: str, *, verify_tls: bool = False) -> None:
        parts = urlsplit(uri)
        self.uri = uri
        secure = parts.scheme == "ipps"
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        self._url = f"{'https' if secure else 'http'}://{host}:{parts.port or 631}{parts.path or '/'}"
        self._verify: ssl.SSLContext | bool = ssl.create_default_context() if secure and verify_tls else False

    async def print_pdf(self, pdf: bytes, job_name: str, user: str, media: str) -> int:
        """Print-Job (RFC 8011 section 4.2.1) without scaling; the job-id.

        Raises:
            PrinterError
        """
        answer = await self._ask(
            PRINT_JOB,
            [
                (NAME, "requesting-user-name", user),
                (NAME, "job-name", job_name),
                (MIME, "document-format", "application/pdf"),
            ],
            [(INTEGER, "copies", 1), (KEYWORD, "print-scaling", "none"), (KEYWORD, "media", media)],
            document=pdf,
            answer_s=PRINT_S,
        )
        ids = [job["job-id"][0] for job in answer.jobs if "job-id" in job]
        if not ids:
            raise PrinterError("the printer took the report but named no job", answer.status)
        return int(ids[0])

    async def job(self, job_id: int, user: str) -> Attributes | None:
        """The job's state; None where the printer no longer knows it.

        Raises:
            PrinterError
        """
        wanted = ["job-id", "job-name", "job-state", "job-state-reasons", "job-state-message"]
        try:
            answer = await self._ask(
                GET_JOB_ATTRIBUTES,
                [
                    (INTEGER, "job-id", job_id),
                    (NAME, "requesting-user-name", user),
                    (KEYWORD, "requested-attributes", wanted),
                ],
            )
        except PrinterError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return answer.jobs[0] if answer.jobs else None

    async def find_job(self, job_name: str, user: str) -> int | None:
        """The newest job of that name, done or not (Get-Jobs, RFC 8011 section 4.2.6); None where there is none.

        Raises:
            PrinterError
        """
        found: list[int] = []
        for which in ("not-completed", "completed"):
            answer = await self._ask(
                GET_JOBS,
                [
                    (NAME, "requesting-user-name", user),
                    (KEYWORD, "requested-attributes", ["job-id", "job-name"]),
                    (KEYWORD, "which-jobs", which),
                ],
            )
            found += [int(job["job-id"][0]) for job in answer.jobs if job_name in job.get("job-name", ())]
        return max(found, default=None)

    async def state(self) -> Attributes:
        """What the printer says of itself.

        Raises:
            PrinterError
        """
        wanted = [
            "printer-state",
            "printer-state-reasons",
            "printer-state-message",
            "printer-is-accepting-jobs",
            "document-format-supported",
            "media-supported",
            "printer-make-and-model",
        ]
        return (await self._ask(GET_PRINTER_ATTRIBUTES, [(KEYWORD, "requested-attributes", wanted)])).printer

    async def _ask(
        self,
        operation: int,
        attributes: list[tuple[int, str, Any]],
        job_attributes: list[tuple[int, str, Any]] | None = None,
        *,
        document: bytes = b"",
        answer_s: float = ANSWER_S,
    ) -> Answer:
        head = [(CHARSET, "attributes-charset", "utf-8"), (LANGUAGE, "attributes-natural-language", "en")]
        # RFC 8011 section 4.1.5: charset, language and target come first, job-id after printer-uri
        target: list[tuple[int, str, Any]] = [*head, (URI, "printer-uri", self.uri)]
        groups = [(OPERATION_GROUP, target + attributes)]
        if job_attributes:
            groups.append((JOB_GROUP, job_attributes))
        timeout = httpx.Timeout(answer_s, connect=CONNECT_S)
        try:
            async with httpx.AsyncClient(verify=self._verify, timeout=timeout, trust_env=False) as client:
                response = await client.post(
                    self._url, content=encode(operation, groups, document), headers={"Content-Type": "application/ipp"}
                )
        except httpx.HTTPError as error:
            raise PrinterUnreachableError(
                f"the printer does not answer at {self.uri} ({type(error).__name__}); is it on, and on the network?"
            ) from error
        if not response.is_success or len(response.content) > MAX_ANSWER_BYTES:
            raise PrinterError(f"{self.uri} answers HTTP {response.status_code}; is the address right?")
        try:
            answer = decode(response.content)
        except ValueError as error:
            raise PrinterError(f"{self.uri} does not speak IPP: {error}") from error
        if answer.status >= 0x0100:
            said = " ".join(str(word) for word in answer.operation.get("status-message", ()))
            words = STATUS_WORDS.get(answer.status, "the printer refuses")
            raise PrinterError(f"{words} (IPP 0x{answer.status:04x}{' ' + said if said else ''})", answer.status)
        return answer
