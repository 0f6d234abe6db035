"""Reports onto the paper of a real IPP printer: once, true to scale, and every failure in words."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from support.contract_centre import TOKEN, ContractCentre

from gateway import printing
from gateway.centre import Centre
from gateway.health import Health
from gateway.ipp import Printer, PrinterUnreachableError
from gateway.print_journal import Entry, PrintJournal
from gateway.printing import MEDIA, NO_PRINTER, USER, PrintAgent
from gateway.retry import Backoff
from gateway.settings import GatewaySettings

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture
def far(tmp_path: Path) -> Iterator[ContractCentre]:
    centre = ContractCentre(tmp_path / "centre").start()
    yield centre
    centre.stop()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "PRINTER", Backoff(0.2, 0.5))
    monkeypatch.setattr(printing, "BUSY_POLL_S", 0.1)
    monkeypatch.setattr(printing, "FAILED_POLL_S", 0.1)


class Agent:
    """A print agent with its journal."""

    def __init__(self, folder: Path, far: ContractCentre, uri: str) -> None:
        self.settings = GatewaySettings(centre_url=far.url, token=TOKEN, spool=folder / "spool", printers={"C01": uri})
        self.journal = PrintJournal(folder / "spool" / "prints")
        self.health = Health()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        centre = Centre(self.settings)
        task = asyncio.create_task(PrintAgent(self.settings, centre, self.journal, self.health).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await centre.close()


async def until(condition: Callable[[], object], within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_report_is_printed_once_and_told(tmp_path: Path, far: ContractCentre, printer) -> None:
    agent = Agent(tmp_path, far, printer.uri)
    async with agent.running():
        first, second = far.order_print(PDF), far.order_print(PDF + b"% another")
        await until(lambda: "printed" in far.states(first) and "printed" in far.states(second))
        await asyncio.sleep(0.5)
    assert far.states(first) == ["printing", "printed"]
    assert sorted(page.read_bytes() for page in printer.pages()) == sorted([PDF, PDF + b"% another"])
    _, outcome = far.outcomes[-1]
    assert outcome.printer == printer.uri
    assert outcome.job_id


async def test_the_printer_is_asked_not_to_scale(tmp_path: Path, printer) -> None:
    ours = Printer(printer.uri)
    job_id = await ours.print_pdf(PDF, "a-job", USER, MEDIA)
    assert await ours.find_job("a-job", USER) == job_id
    assert await ours.find_job("another", USER) is None
    job = await ours.job(job_id, USER)
    assert job is not None
    assert job["job-name"] == ["a-job"]
    assert await ours.job(job_id + 1000, USER) is None
    assert "application/pdf" in (await ours.state())["document-format-supported"]


async def test_a_kill_between_printing_and_writing_it_down_prints_no_second_page(
    tmp_path: Path, far: ContractCentre, printer
) -> None:
    delivery = far.order_print(PDF)
    agent = Agent(tmp_path, far, printer.uri)
    agent.journal.open()
    agent.journal.put(Entry(task=far.prints[delivery], step="submitting"))
    await Printer(printer.uri).print_pdf(PDF, str(delivery), USER, MEDIA)  # and here the process dies

    again = Agent(tmp_path, far, printer.uri)
    async with again.running():
        await until(lambda: "printed" in far.states(delivery))
    assert len(printer.pages()) == 1


async def test_a_kill_before_sending_still_prints(tmp_path: Path, far: ContractCentre, printer) -> None:
    delivery = far.order_print(PDF)
    agent = Agent(tmp_path, far, printer.uri)
    agent.journal.open()
    agent.journal.put(Entry(task=far.prints[delivery], step="submitting"))
    async with Agent(tmp_path, far, printer.uri).running():
        await until(lambda: "printed" in far.states(delivery))
    assert len(printer.pages()) == 1


async def test_an_outcome_that_the_centre_missed_is_told_later(tmp_path: Path, far: ContractCentre, printer) -> None:
    agent = Agent(tmp_path, far, printer.uri)
    told = far.post_outcome

    async with agent.running():
        delivery = far.order_print(PDF)
        await until(lambda: "printing" in far.states(delivery))
        far.stop()
        await until(lambda: (agent.journal.get(delivery) or _none()).step == "finished")
        far.start()
        await until(lambda: "printed" in far.states(delivery))
    assert len(printer.pages()) == 1
    assert told


def _none() -> Entry:
    raise AssertionError("the journal has no entry")


async def test_a_printer_that_is_off_is_told_and_prints_when_it_is_on(
    tmp_path: Path, far: ContractCentre, printer
) -> None:
    printer.stop()
    agent = Agent(tmp_path, far, printer.uri)
    async with agent.running():
        delivery = far.order_print(PDF)
        await until(lambda: "failed" in far.states(delivery))
        assert "is it on" in far.outcomes[-1][1].detail
        assert "is it on" in agent.health.problems()[0]
        count = len(far.outcomes)
        await asyncio.sleep(1)
        assert len(far.outcomes) == count, "the same failure is not told again and again"
        printer.start()
        await until(lambda: "printed" in far.states(delivery))
    assert len(printer.pages()) == 1
    assert not agent.health.problems()


async def test_a_withdrawn_report_is_not_printed(tmp_path: Path, far: ContractCentre, printer) -> None:
    printer.stop()
    async with Agent(tmp_path, far, printer.uri).running():
        delivery = far.order_print(PDF)
        await until(lambda: "failed" in far.states(delivery))
        del far.prints[delivery]  # an amended report took its place
        printer.start()
        await asyncio.sleep(1.5)
    assert not printer.pages()


async def test_a_pdf_that_is_not_the_signed_one_is_not_printed(tmp_path: Path, far: ContractCentre, printer) -> None:
    async with Agent(tmp_path, far, printer.uri).running():
        delivery = far.order_print(PDF)
        far.pdfs[delivery] = PDF + b"changed on the way"
        await asyncio.sleep(1)
        assert not printer.pages()
        far.pdfs[delivery] = PDF
        await until(lambda: "printed" in far.states(delivery))


async def test_a_clinic_without_printer_is_told(tmp_path: Path, far: ContractCentre, printer) -> None:
    async with Agent(tmp_path, far, printer.uri).running():
        delivery = far.order_print(PDF, institution_code="C02")
        await until(lambda: far.states(delivery))
    assert (far.outcomes[0][1].state, far.outcomes[0][1].detail) == ("failed", NO_PRINTER)


async def test_what_is_not_a_printer_is_said_to_be_none(free_port) -> None:
    with pytest.raises(PrinterUnreachableError, match="is it on"):
        await Printer(f"ipp://127.0.0.1:{free_port()}/ipp/print").state()


async def test_a_job_that_a_person_canceled_is_not_printed_again(
    tmp_path: Path, far: ContractCentre, printer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ippeveprinter has no panel to cancel at: the journal's half is tried with the state that it would report."""
    answer = Printer.job

    async def canceled(self: Printer, job_id: int, user: str) -> dict[str, list[object]] | None:
        return {**(await answer(self, job_id, user) or {}), "job-state": [printing.CANCELED]}

    monkeypatch.setattr(Printer, "job", canceled)
    async with Agent(tmp_path, far, printer.uri).running():
        delivery = far.order_print(PDF)
        await until(lambda: "failed" in far.states(delivery))
        await asyncio.sleep(1)
    assert far.outcomes[-1][1].detail == printing.CANCELED_THERE
    assert len(printer.pages()) == 1
    assert isinstance(delivery, uuid.UUID)
