"""The simulated printers, judged by CUPS' ipptool: the built-in one and ippeveprinter behind the same function."""

import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from pyipp.enums import IppTag
from support.network import wait_for

from gateway.simulate.ipp_messages import Answer, IppSyntaxError, decode
from gateway.simulate.printer import PrinterError, find_ippeveprinter, start_printer

PAGE = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/MediaBox[0 0 595 842]/Parent 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
needs_ipptool = pytest.mark.skipif(shutil.which("ipptool") is None, reason="ipptool (cups-ipp-utils) is not installed")

PRINT = """{
    NAME "Print-Job"
    OPERATION Print-Job
    GROUP operation-attributes-tag
    ATTR charset attributes-charset utf-8
    ATTR language attributes-natural-language en
    ATTR uri printer-uri $uri
    ATTR name requesting-user-name ecg-gateway
    ATTR name job-name "REPORT-A0001"
    ATTR mimeMediaType document-format $filetype
    GROUP job-attributes-tag
    ATTR keyword print-scaling none
    FILE $filename
    STATUS %s
}
"""


@pytest.fixture(params=["built-in", "ippeveprinter"])
def simulated(request, tmp_path, free_port):
    if request.param == "ippeveprinter" and find_ippeveprinter() is None:
        pytest.skip("ippeveprinter (cups-ipp-utils) or dbus-daemon is not installed")
    printer = start_printer(tmp_path / "pages", free_port(), "Test printer", prefer=request.param)
    try:
        assert printer.kind == request.param
        yield printer
    finally:
        printer.stop()
        assert not printer.alive()


@pytest.fixture
def built_in(tmp_path, free_port):
    printer = start_printer(tmp_path / "pages", free_port(), "Test printer", prefer="built-in")
    yield printer
    printer.stop()


def ipptool(uri: str, test: Path | str, document: Path, *options: str) -> subprocess.CompletedProcess:
    command = ["ipptool", "-t", *options, "-f", str(document), uri, str(test)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def a_document(folder: Path, content: bytes = PAGE) -> Path:
    path = folder / "report.pdf"
    path.write_bytes(content)
    return path


@needs_ipptool
def test_a_page_lies_in_the_folder_whole(simulated, tmp_path):
    test = tmp_path / "print.test"
    test.write_text(PRINT % "successful-ok\n    STATUS successful-ok-ignored-or-substituted-attributes")
    done = ipptool(simulated.uri, test, a_document(tmp_path))
    assert done.returncode == 0, done.stdout
    wait_for(lambda: len(simulated.pages()) == 1, "no page was printed")
    assert simulated.pages()[0].read_bytes() == PAGE


@needs_ipptool
def test_the_built_in_printer_passes_the_ipp_conformance_suite(built_in, tmp_path):
    """Up to the first test that wants a file which CUPS' packages do not carry."""
    done = ipptool(built_in.uri, "ipp-1.1.test", a_document(tmp_path))
    found = re.search(r"(\d+) tests, (\d+) passed, (\d+) failed", done.stdout + done.stderr)
    assert found, done.stdout
    assert int(found[3]) == 0, done.stdout
    assert int(found[2]) >= 24, done.stdout


@needs_ipptool
@pytest.mark.parametrize(
    ("content", "filetype", "status"),
    [
        (b"hello", "application/pdf", "client-error-document-format-error"),
        (b"hello", "text/plain", "client-error-document-format-not-supported"),
    ],
)
def test_what_is_no_pdf_is_not_printed(built_in, tmp_path, content, filetype, status):
    test = tmp_path / "print.test"
    test.write_text(PRINT.replace("$filetype", filetype) % status)
    done = ipptool(built_in.uri, test, a_document(tmp_path, content))
    assert done.returncode == 0, done.stdout
    assert list(built_in.folder.iterdir()) == []


@needs_ipptool
def test_job_numbers_go_on_after_a_restart(tmp_path, free_port):
    test, document = tmp_path / "print.test", a_document(tmp_path)
    test.write_text(PRINT % "successful-ok")
    for number in (1, 2):
        printer = start_printer(tmp_path / "pages", free_port(), prefer="built-in")
        try:
            assert ipptool(printer.uri, test, document).returncode == 0
            wait_for(lambda n=number, p=printer: len(p.pages()) == n, "no page was printed")
        finally:
            printer.stop()
    assert [path.name for path in printer.pages()] == ["1-REPORT-A0001.pdf", "2-REPORT-A0001.pdf"]


def test_a_person_with_a_browser_reads_what_it_is(built_in):
    with urllib.request.urlopen(built_in.uri.replace("ipp://", "http://"), timeout=5) as response:
        assert "a simulated printer" in response.read().decode()


def test_a_taken_port_is_said(built_in, tmp_path):
    port = int(built_in.uri.split(":")[2].split("/")[0])
    with pytest.raises(PrinterError, match="in use"):
        start_printer(tmp_path / "other", port)


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x02\x00\x00", b"GET / HTTP/1.1\r\n\r\n", b"\x02\x00\x00\x0b\x00\x00\x00\x01\x01\x47\x00\x05ab"],
)
def test_bytes_that_are_no_request_are_refused(raw):
    with pytest.raises(IppSyntaxError):
        decode(raw)


def test_what_is_encoded_is_decoded_again():
    answer = Answer((2, 0), 0x0B, 7, [("status-message", IppTag.TEXT, ("页面已打印",))])
    answer.groups.append((IppTag.JOB, [("job-id", IppTag.INTEGER, (3,)), ("x", IppTag.BOOLEAN, (True, False))]))
    request = decode(answer.encode() + b"%PDF-")
    assert (request.version, request.operation, request.request_id) == ((2, 0), 0x0B, 7)
    assert request.text("status-message") == "页面已打印"
    assert request.groups[1] == (IppTag.JOB, {"job-id": [3], "x": [True, False]})
    assert request.document == b"%PDF-"


def test_an_ippeveprinter_that_cannot_run_gives_way_to_the_built_in_one(tmp_path, free_port, monkeypatch):
    """As on a machine without IPv6, where it ends at its start."""
    broken = tmp_path / "bin"
    broken.mkdir()
    for name, body in {"ippeveprinter": "echo no IPv6 here; exit 1", "dbus-daemon": "exit 0"}.items():
        (broken / name).write_text(f"#!/bin/sh\n{body}\n")
        (broken / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken}:/usr/bin:/bin")
    monkeypatch.setattr("gateway.simulate.printer.START_TIMEOUT_S", 5.0)
    printer = start_printer(tmp_path / "pages", free_port())
    try:
        assert printer.kind == "built-in"
        assert printer.alive()
    finally:
        printer.stop()
