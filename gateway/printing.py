"""How does a released report get onto the clinic's paper, once, and who hears of it when it does not?

The gateway asks the centre for print tasks (long poll), fetches the signed PDF, checks its SHA-256, and sends it to the
clinic's printer true to scale. Each step is in a journal on disk before the next begins. After a kill between sending
and writing that down, the printer is asked whether it has a job of the delivery's name. The centre's list is the truth:
what is no longer in it (printed, or superseded by an amended report) is not tried again.
"""

import asyncio
import hashlib
import random
import time
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import httpx
import structlog

from ecg_center.contract.printing import PrintOutcome, PrintTask, PrintTasks
from gateway.centre import Centre, CentreError, CentreRefusalError
from gateway.health import Health
from gateway.ipp import BUSY, Printer, PrinterError, PrinterUnreachableError
from gateway.print_journal import Entry, PrintJournal
from gateway.retry import PRINTER, ROUTINE, delay_s
from gateway.settings import GatewaySettings

log = structlog.get_logger(__name__)

WAIT_S = 25
"""Long poll, as the contract has it: below the 30 s after which careless proxies cut."""

BUSY_POLL_S = 1.0
"""Tasks under way stay in the centre's answer, which then comes at once: ask again after a second."""

FAILED_POLL_S = 5.0
"""The same where all that waits are printers that failed."""

USER = "ecg-gateway"
MEDIA = "iso_a4_210x297mm"
"""PWG 5101.1 name of A4: the report's page."""

WATCH_S = (0.3, 3.0)
"""First and longest pause between two looks at a job: a page takes some seconds."""

STUCK_S = 30.0
"""A job that makes no progress for so long needs a person: the clinic is told why, and it is watched on."""

BUSY_S = 120.0
"""A printer that takes one job at a time is busy for some pages; after two minutes the clinic is told."""

MAX_ABORTED = 5
"""Attempts that the printer itself gave up: after five it is the page or the printer, and paper is wasted."""

MAX_LOST = 1
"""A job that vanished is printed once more: a double page is found in the tray, a missing one is not."""

# RFC 8011 section 5.3.7
PENDING, HELD, PROCESSING, STOPPED, CANCELED, ABORTED, COMPLETED = range(3, 10)

REASON_WORDS = {
    "media-empty": "The printer has no paper: load A4.",
    "media-needed": "The printer asks for paper: load A4.",
    "media-low": "The printer is low on paper.",
    "media-jam": "Paper is jammed in the printer.",
    "door-open": "The printer's door is open.",
    "cover-open": "The printer's cover is open.",
    "toner-empty": "The printer has no toner.",
    "toner-low": "The printer is low on toner.",
    "marker-supply-empty": "The printer has no ink or toner.",
    "marker-supply-low": "The printer is low on ink or toner.",
    "paused": "The printer is paused: press continue.",
    "moving-to-paused": "The printer is pausing.",
    "shutdown": "The printer is switched off.",
    "offline": "The printer is offline.",
    "connecting-to-device": "The print server cannot reach the printer.",
    "timed-out": "The print server cannot reach the printer.",
    "output-area-full": "The printer's tray is full: take the pages out.",
    "spool-area-full": "The printer's memory is full.",
    "fuser-over-temp": "The printer is too hot; it goes on by itself.",
    "input-tray-missing": "The printer's paper tray is missing.",
    "stopped-partly": "A part of the printer has stopped; look at its panel.",
}
"""printer-state-reasons (RFC 8011 section 5.4.12) as sentences, which are message ids for the screen."""

NO_PRINTER = "No printer is set for this institution: add it to [gateway.printers]."
CANCELED_THERE = "The job was canceled at the printer; order the print again if it is wanted."
GAVE_UP = "The printer gave the job up; look at its panel."
FORGOTTEN = "The printer does not list the job any more; look in its tray."
STUCK = "The printer does not go on; look at its panel."


class PrintAgent:
    """Prints until cancelled."""

    def __init__(self, settings: GatewaySettings, centre: Centre, journal: PrintJournal, health: Health) -> None:
        self._settings = settings
        self._centre = centre
        self._journal = journal
        self._health = health
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._failures: dict[UUID, int] = {}
        self._not_before: dict[UUID, float] = {}
        self._busy_since: dict[UUID, float] = {}
        self._submitting: dict[str, asyncio.Lock] = {}

    async def run(self) -> None:
        """Ask, print, report."""
        await asyncio.to_thread(self._journal.open)
        failures = 0
        try:
            while True:
                try:
                    tasks = await self._ask()
                    failures = 0
                except CentreError as error:
                    failures += 1
                    log.debug("print tasks not heard", error=str(error))
                    await asyncio.sleep(delay_s(ROUTINE, failures, random.random()))  # noqa: S311
                    continue
                for entry in self._to_tell():
                    await self._tell(entry)
                self._forget_all_but({task.delivery_id for task in tasks} | self._running.keys())
                for task in tasks:
                    self._consider(task)
                if tasks:
                    await asyncio.sleep(BUSY_POLL_S if self._running else FAILED_POLL_S)
        finally:
            for running in self._running.values():
                running.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _to_tell(self) -> list[Entry]:
        """Outcomes the centre has not heard, but for those under way.

        Whoever prints them is about to tell; a second teller would write an older entry over theirs.
        """
        return [entry for entry in self._journal.unreported() if entry.task.delivery_id not in self._running]

    def _forget_all_but(self, wanted: set[UUID]) -> None:
        """Drop the waits of what is no longer to be printed."""
        for waits in (self._failures, self._not_before, self._busy_since):
            for key in waits.keys() - wanted:
                del waits[key]

    async def _ask(self) -> list[PrintTask]:
        wait = 0 if self._to_tell() else WAIT_S
        response = await self._centre.request(
            "GET", "/api/gateway/prints", params={"wait_s": str(wait)}, answer_s=WAIT_S + 15
        )
        try:
            return PrintTasks.model_validate_json(response.content).tasks
        except ValueError as error:
            raise CentreError(f"print tasks cannot be understood: {str(error).splitlines()[0]}") from error

    def _consider(self, task: PrintTask) -> None:
        """Start what is due and not under way."""
        key = task.delivery_id
        if key in self._running or time.monotonic() < self._not_before.get(key, 0.0):
            return
        running = asyncio.create_task(self._deliver(task), name=f"print-{key}")
        self._running[key] = running
        running.add_done_callback(lambda _: self._running.pop(key, None))

    async def _deliver(self, task: PrintTask) -> None:
        entry = self._journal.get(task.delivery_id) or Entry(task=task, step="idle")
        if entry.step == "finished":  # the centre missed it, or it is final: say it once more
            await self._tell(entry)
            self._not_before[task.delivery_id] = time.monotonic() + PRINTER.cap_s
            return
        uri = self._settings.printers.get(task.institution_code)
        if uri is None:
            await self._failed(entry, NO_PRINTER, printer="-")
            return
        try:
            await self._print(entry, Printer(uri, verify_tls=self._settings.verify_printer_tls))
        except PrinterError as error:
            entry = self._journal.get(task.delivery_id) or entry
            if error.status == BUSY and self._may_wait(task.delivery_id):
                return
            await self._failed(entry, await self._why(uri, error), printer=uri)
        except CentreError as error:
            self._put_off(task.delivery_id)
            log.info("report not fetched", delivery=str(task.delivery_id), error=str(error))
        except Exception:
            self._put_off(task.delivery_id)
            log.exception("printing failed", delivery=str(task.delivery_id))

    def _may_wait(self, delivery_id: UUID) -> bool:
        """Whether a busy printer is no news yet: it works on the page before."""
        since = self._busy_since.setdefault(delivery_id, time.monotonic())
        if time.monotonic() - since > BUSY_S:
            return False
        self._not_before[delivery_id] = time.monotonic() + WATCH_S[1] * random.random()  # noqa: S311
        return True

    # -- one report -----------------------------------------------------------------------------------------------

    async def _print(self, entry: Entry, printer: Printer) -> None:
        if entry.step == "submitting":
            job_id = await _find(printer, entry)
            step: Literal["submitted", "idle"] = "idle" if job_id is None else "submitted"
            entry = await self._note(entry, step=step, job_id=job_id)
        if entry.step == "idle":
            pdf = await self._fetch(entry.task)
            async with self._submitting.setdefault(printer.uri, asyncio.Lock()):
                entry = await self._note(entry, step="submitting")
                try:
                    job_id = await printer.print_pdf(pdf, str(entry.task.delivery_id), USER, MEDIA)
                except PrinterUnreachableError:
                    raise  # it may have the job: stays "submitting", and it is asked before the next attempt
                except PrinterError:
                    await self._note(entry, step="idle")
                    raise
            self._busy_since.pop(entry.task.delivery_id, None)
            entry = await self._note(entry, step="submitted", job_id=job_id)
            log.info("report sent to printer", delivery=str(entry.task.delivery_id), printer=printer.uri, job=job_id)
            entry = await self._report(entry, "printing", printer.uri)
        await self._watch(entry, printer)

    async def _fetch(self, task: PrintTask) -> bytes:
        response = await self._centre.request("GET", f"/api/gateway/prints/{task.delivery_id}/pdf")
        digest = hashlib.sha256(response.content).hexdigest()
        if digest != task.pdf_sha256:
            raise CentreError(f"the PDF of {task.delivery_id} has SHA-256 {digest}, announced was {task.pdf_sha256}")
        return response.content

    async def _watch(self, entry: Entry, printer: Printer) -> None:
        """Follow the job to its end."""
        assert entry.job_id is not None
        pause, seen, since, told = WATCH_S[0], -1, time.monotonic(), ""
        while True:
            job = await printer.job(entry.job_id, USER)
            if job is None:
                await self._lost(entry, printer)
                return
            state = int((job.get("job-state") or [PENDING])[0])
            if state in {CANCELED, ABORTED, COMPLETED}:
                await self._ended(entry, printer, state, job)
                return
            if state != seen:
                seen, since = state, time.monotonic()
            elif time.monotonic() - since > STUCK_S:
                words = await self._why(printer.uri, None) or STUCK
                if words != told:
                    told, entry = words, await self._report(entry, "failed", printer.uri, words)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, WATCH_S[1])

    async def _ended(self, entry: Entry, printer: Printer, state: int, job: dict[str, list[Any]]) -> None:
        if state == COMPLETED:
            self._failures.pop(entry.task.delivery_id, None)
            self._health.clear(f"printer {entry.task.institution_code}")
            await self._report(entry, "printed", printer.uri, step="finished")
            return
        if state == CANCELED:
            await self._report(entry, "failed", printer.uri, CANCELED_THERE, step="finished")
            return
        reasons = [reason for reason in job.get("job-state-reasons", []) if reason != "none"]
        log.warning("job aborted by the printer", delivery=str(entry.task.delivery_id), reasons=reasons)
        last = entry.aborted + 1 >= MAX_ABORTED
        entry = await self._note(entry, step="finished" if last else "idle", job_id=None, aborted=entry.aborted + 1)
        await self._failed(entry, await self._why(printer.uri, None) or GAVE_UP, printer=printer.uri)

    async def _lost(self, entry: Entry, printer: Printer) -> None:
        if entry.lost >= MAX_LOST:
            await self._report(entry, "printed", printer.uri, FORGOTTEN, step="finished")
            return
        log.warning("the printer forgot the job; printing again", delivery=str(entry.task.delivery_id))
        await self._note(entry, step="idle", job_id=None, lost=entry.lost + 1)

    # -- telling --------------------------------------------------------------------------------------------------

    async def _why(self, uri: str, error: PrinterError | None) -> str:
        """In words what is wrong with the printer: its own reasons, else the error."""
        if isinstance(error, PrinterUnreachableError):
            return str(error)
        try:
            said = await Printer(uri, verify_tls=self._settings.verify_printer_tls).state()
        except PrinterError as unreachable:
            return str(error or unreachable)
        words = reasons_in_words(said.get("printer-state-reasons", []))
        return " ".join([*words, str(error)] if error else words)

    async def _failed(self, entry: Entry, words: str, *, printer: str) -> None:
        self._health.report(f"printer {entry.task.institution_code}", words)
        self._put_off(entry.task.delivery_id)
        await self._report(entry, "failed", printer, words)

    def _put_off(self, delivery_id: UUID) -> None:
        failures = self._failures[delivery_id] = self._failures.get(delivery_id, 0) + 1
        wait = delay_s(PRINTER, failures, random.random())  # noqa: S311
        self._not_before[delivery_id] = time.monotonic() + wait

    async def _report(
        self,
        entry: Entry,
        state: Literal["printing", "printed", "failed"],
        printer: str,
        detail: str = "",
        *,
        step: Literal["finished"] | None = None,
    ) -> Entry:
        """Write the outcome down, then tell the centre."""
        outcome = PrintOutcome(
            state=state, at=datetime.now(UTC), printer=printer[:200], job_id=entry.job_id, detail=detail[:500]
        )
        known = entry.outcome
        if step is None and known and entry.reported and (known.state, known.detail) == (state, outcome.detail):
            return entry
        entry = await self._note(entry, outcome=outcome, reported=False, step=step or entry.step)
        return await self._tell(entry)

    async def _tell(self, entry: Entry) -> Entry:
        """Tell the outcome; where the centre does not hear, the next poll tells it again."""
        if entry.outcome is None:
            return entry
        try:
            await self._centre.request(
                "POST", f"/api/gateway/prints/{entry.task.delivery_id}/outcome", body=entry.outcome
            )
        except CentreRefusalError as error:
            if not error.final and error.status != httpx.codes.NOT_FOUND:
                return entry
            log.warning("outcome not wanted", delivery=str(entry.task.delivery_id), error=str(error))
        except CentreError as error:
            log.info("outcome not told yet", delivery=str(entry.task.delivery_id), error=str(error))
            return entry
        log.info("print outcome", delivery=str(entry.task.delivery_id), state=entry.outcome.state)
        return await self._note(entry, reported=True)

    async def _note(self, entry: Entry, **changes: Any) -> Entry:
        return await asyncio.to_thread(self._journal.put, entry.model_copy(update=changes))


async def _find(printer: Printer, entry: Entry) -> int | None:
    """The job of an attempt that was cut off."""
    try:
        return await printer.find_job(str(entry.task.delivery_id), USER)
    except PrinterUnreachableError:
        raise
    except PrinterError as error:
        log.warning("the printer cannot list its jobs; the page may come twice", error=str(error))
        return None


def reasons_in_words(reasons: list[Any]) -> list[str]:
    """printer-state-reasons as sentences, without those that say that all is well.

    >>> reasons_in_words(["media-empty-error", "none"])
    ['The printer has no paper: load A4.']
    """
    words = []
    for reason in reasons:
        bare = str(reason)
        for suffix in ("-error", "-warning", "-report"):
            bare = bare.removesuffix(suffix)
        if bare != "none":
            words.append(REASON_WORDS.get(bare, f"The printer says: {bare}."))
    return words
