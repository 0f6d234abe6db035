"""IPP on the wire, checked against pyipp where it can read it, and against RFC 8010 where it cannot."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyipp.parser import parse as pyipp_parse

from gateway.ipp import (
    CHARSET,
    GET_JOBS,
    INTEGER,
    JOB_GROUP,
    KEYWORD,
    LANGUAGE,
    NAME,
    OPERATION_GROUP,
    PRINT_JOB,
    decode,
    encode,
)
from gateway.printing import REASON_WORDS, reasons_in_words

HEAD = [(CHARSET, "attributes-charset", "utf-8"), (LANGUAGE, "attributes-natural-language", "en")]


def attribute(tag: int, name: bytes, value: bytes) -> bytes:
    return struct.pack(">BH", tag, len(name)) + name + struct.pack(">H", len(value)) + value


def answer(*groups: bytes, status: int = 0) -> bytes:
    return struct.pack(">BBHI", 2, 0, status, 1) + b"".join(groups) + b"\x03"


def test_a_request_is_read_by_another_implementation() -> None:
    said = encode(
        PRINT_JOB,
        [
            (
                OPERATION_GROUP,
                [*HEAD, (NAME, "job-name", "王伟的报告"), (KEYWORD, "requested-attributes", ["job-id", "job-name"])],
            ),
            (JOB_GROUP, [(INTEGER, "copies", 1), (KEYWORD, "print-scaling", "none")]),
        ],
        b"%PDF",
    )
    read = pyipp_parse(said, contains_data=True)
    assert read["operation-attributes"]["job-name"] == "王伟的报告"
    assert read["operation-attributes"]["requested-attributes"] == ["job-id", "job-name"]
    assert read["jobs"] == [{"copies": 1, "print-scaling": "none"}]
    assert read["data"] == b"%PDF"
    assert said[2:4] == struct.pack(">H", PRINT_JOB) != struct.pack(">H", GET_JOBS)


def test_empty_groups_and_several_jobs_are_accepted() -> None:
    first = b"\x02" + attribute(0x21, b"job-id", struct.pack(">i", 7)) + attribute(0x42, b"job-name", b"a")
    second = b"\x02" + attribute(0x21, b"job-id", struct.pack(">i", 8))
    read = decode(answer(b"\x01", b"\x05", first, b"\x05", second))
    assert read.jobs == [{"job-id": [7], "job-name": ["a"]}, {"job-id": [8]}]


def test_collections_are_stepped_over() -> None:
    collection = (
        attribute(0x34, b"media-col", b"")
        + attribute(0x4A, b"", b"media-size")
        + attribute(0x34, b"", b"")
        + attribute(0x4A, b"", b"x-dimension")
        + attribute(0x21, b"", struct.pack(">i", 21000))
        + attribute(0x37, b"", b"")
        + attribute(0x37, b"", b"")
    )
    state = attribute(0x23, b"printer-state", struct.pack(">i", 3))
    reasons = attribute(0x44, b"printer-state-reasons", b"media-low") + attribute(0x44, b"", b"toner-low")
    read = decode(answer(b"\x04" + collection + state + reasons))
    assert read.printer == {"printer-state": [3], "printer-state-reasons": ["media-low", "toner-low"]}


def test_text_with_language_is_the_text() -> None:
    value = struct.pack(">H", 2) + b"zh" + struct.pack(">H", 6) + "缺纸".encode()
    read = decode(answer(b"\x01" + attribute(0x35, b"status-message", value), status=0x0507))
    assert read.operation == {"status-message": ["缺纸"]}
    assert read.status == 0x0507


@given(st.binary(max_size=200))
def test_garbage_is_a_value_error_and_nothing_else(data: bytes) -> None:
    try:
        decode(data)
    except ValueError:
        return


@given(st.integers(0, 60))
def test_a_cut_answer_is_a_value_error(length: int) -> None:
    whole = answer(
        b"\x01" + attribute(0x47, b"attributes-charset", b"utf-8") + attribute(0x21, b"x", struct.pack(">i", 1))
    )
    if length < len(whole):
        with pytest.raises(ValueError, match="not an IPP answer"):
            decode(whole[:length])


def test_printer_reasons_become_sentences() -> None:
    assert reasons_in_words(["none"]) == []
    assert reasons_in_words(["media-jam-error"]) == [REASON_WORDS["media-jam"]]
    assert reasons_in_words(["vendor-thing-report"]) == ["The printer says: vendor-thing."]
