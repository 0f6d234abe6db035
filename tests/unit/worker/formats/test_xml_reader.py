import time
import tracemalloc

import pytest

from worker.formats import errors, xml_reader

PLAIN = b"<r xmlns='urn:x'><a k=' v '>one</a><a>two <b/>three</a></r>"


def test_local_names_attributes_and_mixed_text():
    root = xml_reader.parse(
        b"<p:r xmlns:p='urn:x' xmlns:q='urn:y'><p:a q:k=' v '>one</p:a><p:a>two<p:b/> three</p:a></p:r>"
    ).root
    assert root.tag == "r"
    assert root.find("a").get("k") == "v"
    assert [child.text for child in root.all("a")] == ["one", "two three"]
    assert root.word("a", "b") == ""
    assert [element.tag for element in root.iter()] == ["r", "a", "a", "b"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"])
def test_encodings(encoding):
    declared = encoding.removesuffix("-le").removesuffix("-be")
    text = f"<?xml version='1.0' encoding='{declared}'?><r><name>王小明</name></r>"
    data = text.encode(encoding)
    assert xml_reader.root_name(data) == ("r", "")
    document = xml_reader.parse(data)
    assert document.root.word("name") == "王小明"
    assert document.warnings == []


def test_gb18030_under_a_utf_8_declaration_is_read_with_a_warning():
    document = xml_reader.parse("<?xml version='1.0' encoding='UTF-8'?><r><name>王小明</name></r>".encode("gb18030"))
    assert document.root.word("name") == "王小明"
    assert document.warnings == ["the XML declares UTF-8 but is not; read as GB18030"]


def test_gb18030_under_a_latin_1_declaration_is_read_with_a_warning_and_latin_1_is_left_alone():
    head = "<?xml version='1.0' encoding='ISO-8859-1'?><r><name>{}</name></r>"
    document = xml_reader.parse(head.format("欧阳小明").encode("gb18030"))
    assert document.root.word("name") == "欧阳小明"
    assert document.warnings == ["the XML declares Latin-1 but its texts are Chinese; read as GB18030"]
    for name in ("Müller", "Größe", "José Núñez", "Ærøskøbing"):
        assert xml_reader.parse(head.format(name).encode("latin-1")).root.word("name") == name


def test_blank_lines_before_the_declaration():
    data = b"\r\n \t<?xml version='1.0' encoding='UTF-8'?><r>x</r>"
    assert xml_reader.root_name(data) == ("r", "")
    assert xml_reader.parse(data).root.text == "x"


def test_utf_16_declared_but_written_as_utf_8_and_padded_with_nuls():
    assert xml_reader.parse(b"<?xml version='1.0' encoding='utf-16'?><r>x</r>\0\0\0").root.text == "x"


def test_a_doctype_that_names_a_dtd_is_not_fetched():
    assert xml_reader.parse(b"<!DOCTYPE r SYSTEM 'file:///etc/passwd'><r>x</r>").root.text == "x"


LAUGHS = b"<!DOCTYPE r [<!ENTITY a 'ha'>" + b"".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>".encode() for n in range(12)
)
HOSTILE = {
    "billion laughs": LAUGHS + b"]><r>&m;</r>",
    "external entity": b"<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><r>&x;</r>",
    "parameter entity": b"<!DOCTYPE r [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/x'> %p;]><r/>",
    "default attributes": b"<!DOCTYPE r [<!ATTLIST b k CDATA '" + b"x" * 1000 + b"'>]><r>" + b"<b/>" * 100 + b"</r>",
    "empty internal subset": b"<!DOCTYPE r []><r/>",
    "entity of an unread DTD": b"<!DOCTYPE r SYSTEM 'r.dtd'><r>&unknown;</r>",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_entities_and_own_document_types_are_refused(data):
    assert xml_reader.root_name(data)[0] == "r"
    with pytest.raises(errors.UnsupportedRecording, match="entities"):
        xml_reader.parse(data)


def test_depth_elements_attributes_and_size_are_bounded():
    for data in (
        b"<r>" * 100 + b"</r>" * 100,
        b"<r>" + b"<a/>" * (xml_reader.MAX_ELEMENTS + 1) + b"</r>",
        b"<r " + b" ".join(f"a{n}='1'".encode() for n in range(101)) + b"/>",
        b"<r>" + b" " * xml_reader.MAX_XML_BYTES + b"</r>",
    ):
        with pytest.raises(errors.TooLargeRecording):
            xml_reader.parse(data)


def test_the_largest_text_takes_seconds_and_little_memory():
    data = b"<r><d>" + b"-123 " * (4 * 1024**2) + b"</d></r>"
    tracemalloc.start()
    started = time.perf_counter()
    assert len(xml_reader.parse(data).root.find("d").text) == len(data) - 14
    assert time.perf_counter() - started < 2
    assert tracemalloc.get_traced_memory()[1] < 3 * len(data)
    tracemalloc.stop()


@pytest.mark.parametrize("cut", range(1, len(PLAIN)))
def test_a_file_cut_anywhere_is_truncated(cut):
    with pytest.raises(errors.TruncatedRecording):
        xml_reader.parse(PLAIN[:-cut])


@pytest.mark.parametrize(
    "data", [b"<r></s>", b"<r><", b"<r a='1' a='2'/>", b"<r>\x01</r>", b"<r/><r/>", b"<r>\xff\xfe</r>"]
)
def test_what_is_not_well_formed_is_damaged(data):
    with pytest.raises(errors.DamagedRecording):
        xml_reader.parse(data)


def test_an_unknown_encoding_is_said():
    with pytest.raises(errors.UnsupportedRecording, match="klingon"):
        xml_reader.parse(b"<?xml version='1.0' encoding='klingon'?><r/>")


@pytest.mark.parametrize("data", [b"", b"\x00", b"DICM", b"<", b"not xml <r/>", b"\xff\xfe", b"<!-- " + b"x" * 70_000])
def test_no_root_name_where_there_is_none(data):
    assert xml_reader.root_name(data) == ("", "")
