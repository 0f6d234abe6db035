"""A signature holds until a single byte changes, and says so in both cases."""

import asyncio
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from asn1crypto import cms, keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.generic import NumberObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.timestamps import DummyTimeStamper
from pypdf import PdfReader

from ecg_center.release.document.render import render
from ecg_center.signing.authority import CredentialError, DemoAuthority
from ecg_center.signing.pades import SignatureError, sign, sign_record, verify, verify_record


@pytest.fixture(scope="module")
def signers(ca):
    return [ca.writer.unlock("0012!", "reporting", "王复直"), ca.reviewer.unlock("0013!", "reviewing", "李骨角")]


@pytest.fixture(scope="module")
def page(make_report) -> bytes:
    return render(make_report())


@pytest.fixture(scope="module")
def signed(page, signers) -> bytes:
    return sign(page, signers)


def test_two_physicians_sign_one_after_the_other(signed, page, ca):
    first, second = verify(signed, [ca.root])
    assert (first.signer, second.signer) == ("王复直 (DEMO)", "李骨角 (DEMO)")
    assert first.sound
    assert second.sound
    assert not first.covers_whole_document
    assert second.covers_whole_document
    assert (first.problem, second.problem) == ("", "")
    assert "报告医师" in first.reason
    assert "审核医师" in second.reason
    assert abs(second.claimed_at - datetime.now(UTC)) < timedelta(minutes=5)
    assert f"{ca.writer.certificate.serial_number:x}" == first.certificate_serial
    assert signed.startswith(page), "the page's own bytes are untouched"


def test_the_profile_is_pades_with_the_chain_inside(signed, ca):
    fields = PdfReader(BytesIO(signed)).trailer["/Root"]["/AcroForm"]["/Fields"]
    assert len(fields) == 2
    for field in fields:
        signature = field.get_object()["/V"]
        assert signature["/SubFilter"] == "/ETSI.CAdES.detached"
        content = cms.ContentInfo.load(bytes(signature["/Contents"]), strict=False)["content"]
        names = {certificate.chosen.subject.native["common_name"] for certificate in content["certificates"]}
        assert "DEMO 县域医共体" in names
        attributes = {a["type"].native for a in content["signer_infos"][0]["signed_attrs"]}
        assert "signing_certificate_v2" in attributes
        assert "signing_time" not in attributes, "PAdES has the time in the dictionary (EN 319 142-1, 6.3)"


def test_the_signed_file_is_still_pdf_a(signed):
    reader = PdfReader(BytesIO(signed))
    assert len(reader.pages) == 1
    xmp = reader.trailer["/Root"]["/Metadata"].get_data().decode()
    assert "pdfaid:part" in xmp
    for annotation in reader.pages[0]["/Annots"]:
        widget = annotation.get_object()
        assert widget["/F"] & 4, "print flag set"
        assert not widget["/F"] & 2, "hidden flag not set"
        assert list(widget["/Rect"]) == [0, 0, 0, 0], "nothing visible"


def test_a_timestamp_authority_can_take_part(page, signers, ca):
    """The seam: pyHanko's own authority for tests issues real RFC 3161 tokens in the process."""
    now, key = datetime.now(UTC), rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "DEMO TSA")])
    stamping = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
    tsa = builder.add_extension(stamping, critical=True).sign(key, hashes.SHA256())
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    stamper = DummyTimeStamper(
        asn1_x509.Certificate.load(tsa.public_bytes(serialization.Encoding.DER)), keys.PrivateKeyInfo.load(der)
    )
    stamped = sign(page, signers, timestamper=stamper)
    field = PdfReader(BytesIO(stamped)).trailer["/Root"]["/AcroForm"]["/Fields"][0].get_object()
    content = cms.ContentInfo.load(bytes(field["/V"]["/Contents"]), strict=False)["content"]
    attributes = {a["type"].native for a in content["signer_infos"][0]["unsigned_attrs"]}
    assert "signature_time_stamp_token" in attributes
    assert all(check.intact and not check.modified_afterwards for check in verify(stamped, [ca.root]))


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="needs pdfsig (poppler-utils)")
def test_another_program_agrees(signed, tmp_path):
    path = tmp_path / "report.pdf"
    path.write_bytes(signed)
    out = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False).stdout
    assert out.count("Signature is Valid") == 2
    assert "Total document signed" in out


def covered(signed: bytes) -> list[range]:
    field = PdfReader(BytesIO(signed)).trailer["/Root"]["/AcroForm"]["/Fields"][1].get_object()
    a, b, c, d = (int(value) for value in field["/V"]["/ByteRange"])
    return [range(a, a + b), range(c, c + d)]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_single_flipped_bit_is_noticed(signed, ca, data):
    spans = covered(signed)
    place = data.draw(st.one_of(*(st.integers(span.start, span.stop - 1) for span in spans)))
    bit = data.draw(st.integers(0, 7))
    broken = bytearray(signed)
    broken[place] ^= 1 << bit
    try:
        checks = verify(bytes(broken), [ca.root])
    except SignatureError:
        return
    assert len(checks) < 2 or not all(check.sound for check in checks)


def test_something_added_afterwards_is_noticed(signed, ca):
    writer = IncrementalPdfFileWriter(BytesIO(signed))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Rotate"] = NumberObject(90)
    writer.update_container(page)
    out = BytesIO()
    writer.write(out)
    checks = verify(out.getvalue(), [ca.root])
    assert [check.intact for check in checks] == [True, True]
    assert [check.modified_afterwards for check in checks] == [True, True]
    assert not any(check.sound for check in checks)
    assert "added" in checks[1].problem


def test_bytes_after_the_end_are_noticed(signed, ca):
    try:
        checks = verify(signed + b"\n% more", [ca.root])
    except SignatureError:
        return
    assert not checks[-1].covers_whole_document
    assert not all(check.sound for check in checks)


def test_a_stranger_is_not_trusted(page, signers, signed):
    stranger = DemoAuthority.create("县域医共体", "x", datetime.now(UTC))
    for check in verify(signed, [stranger.certificate_pem]) + verify(signed, []):
        assert check.intact
        assert not check.trusted
        assert "trusted authority" in check.problem


def test_a_certificate_counts_at_its_time(signed, ca):
    late = datetime.now(UTC) + timedelta(days=800)
    assert all(check.sound for check in verify(signed, [ca.root]))
    assert not any(check.trusted for check in verify(signed, [ca.root], at=late))


def test_roots_are_read_in_both_encodings(signed, ca):
    der = x509.load_pem_x509_certificate(ca.root).public_bytes(serialization.Encoding.DER)
    assert all(check.sound for check in verify(signed, [der]))
    with pytest.raises(CredentialError, match="root"):
        verify(signed, [b"nonsense"])


def test_what_is_no_pdf_is_said(ca, signers):
    for rubbish in (b"", b"hello", b"%PDF-1.7\n", bytes(1000)):
        with pytest.raises(SignatureError):
            verify(rubbish, [ca.root])
        with pytest.raises(SignatureError):
            sign(rubbish, signers)


def test_an_unsigned_report_has_no_signatures(page, ca):
    assert verify(page, [ca.root]) == []


def test_keys_are_locked_and_belong_to_their_certificate(page, ca, signers):
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in ca.writer.key_pem
    with pytest.raises(CredentialError, match="passphrase"):
        ca.writer.unlock("wrong", "reporting")
    with pytest.raises(CredentialError, match="passphrase"):
        ca.authority.issue("x", "1", "x", authority_passphrase="wrong", passphrase="y", now=datetime.now(UTC))
    with pytest.raises(CredentialError, match="never stored"):
        DemoAuthority.create("x", "", datetime.now(UTC))
    with pytest.raises(CredentialError, match="does not belong"):
        sign(page, [replace(signers[0], key=signers[1].key)])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_openssl_opens_the_key_and_the_chain(ca, tmp_path):
    key, leaf, root = tmp_path / "key.pem", tmp_path / "leaf.pem", tmp_path / "root.pem"
    for path, content in ((key, ca.writer.key_pem), (leaf, ca.writer.certificate_pem), (root, ca.root)):
        path.write_bytes(content)
    subprocess.run(["openssl", "pkey", "-in", key, "-passin", "pass:0012!", "-noout"], check=True)
    subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", root, leaf], check=True, capture_output=True)


def test_every_demo_name_says_demo(ca):
    for pem in (ca.root, ca.writer.certificate_pem):
        certificate = x509.load_pem_x509_certificate(pem)
        assert certificate.subject.rfc4514_string().count("DEMO") == 2
    with pytest.raises(CredentialError, match="longer than"):
        DemoAuthority.create("x" * 70, "p", datetime.now(UTC))


def test_a_record_is_signed_detached(ca, signers):
    payload = '{"opinion": "急性下壁心肌梗死可能"}'.encode()
    signature = sign_record(payload, signers[0])
    check = verify_record(payload, signature, [ca.root])
    assert check.sound
    assert check.signer == "王复直 (DEMO)"
    assert check.claimed_at is not None
    changed = verify_record(payload.replace(b"opinion", b"Opinion"), signature, [ca.root])
    assert not changed.intact
    assert not changed.sound
    assert not verify_record(payload, signature, []).trusted
    with pytest.raises(SignatureError, match="not a CMS"):
        verify_record(payload, b"rubbish", [ca.root])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_openssl_agrees_about_the_record(ca, signers, tmp_path):
    record, signature, root = tmp_path / "record", tmp_path / "record.p7s", tmp_path / "root.pem"
    record.write_bytes(b"opinion")
    signature.write_bytes(sign_record(b"opinion", signers[0]))
    root.write_bytes(ca.root)
    command = [
        "openssl",
        "cms",
        "-verify",
        "-binary",
        "-inform",
        "DER",
        "-in",
        signature,
        "-content",
        record,
        "-CAfile",
        root,
    ]
    assert subprocess.run([*command, "-purpose", "any"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def record_signature(signers) -> bytes:
    return sign_record(b"opinion", signers[0])


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0), mask=st.integers(1, 255))
def test_a_damaged_record_or_signature_gives_an_answer(ca, record_signature, place, mask):
    payload = bytearray(b"opinion")
    payload[place % len(payload)] ^= mask
    assert not verify_record(bytes(payload), record_signature, [ca.root]).sound
    signature = bytearray(record_signature)
    signature[place % len(signature)] ^= mask
    try:
        verify_record(b"opinion", bytes(signature), [ca.root])
    except SignatureError:
        return


async def test_signing_runs_in_a_thread_beside_the_event_loop(page, ca, signers):
    out = await asyncio.to_thread(sign, page, signers)
    checks = await asyncio.to_thread(verify, out, [ca.root])
    assert all(check.sound for check in checks)
