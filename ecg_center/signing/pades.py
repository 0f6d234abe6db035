"""Who signed this report, and has anything changed since?

A released report carries one PAdES B-B signature (ETSI EN 319 142-1) a physician, each an incremental update that
leaves the bytes before it untouched. The first certifies the document: afterwards only further signatures and
timestamps may be added, and a reader's software shows any other change as tampering. Nothing visible is added; the
page says who signed. A record without a page, the 10-minute opinion, gets a detached CMS signature over its bytes.

All functions are synchronous and take tens of milliseconds: call them in a thread (``asyncio.to_thread``), never on
a running event loop. None of them opens a network connection unless a timestamper is given.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO

from asn1crypto import cms, keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import InvisSigSettings, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation import (
    EmbeddedPdfSignature,
    PdfSignatureStatus,
    SignatureCoverageLevel,
    async_validate_detached_cms,
    validate_pdf_signature,
)
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from ecg_center.signing.authority import CredentialError, Role, Signer

DIGEST = "sha256"
MAX_SIGNATURES = 8
UNREADABLE = (
    PdfError,
    SigningError,
    SignatureValidationError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    StopIteration,
    OSError,
    RecursionError,
    ArithmeticError,
)
"""What the libraries raise for bytes that somebody damaged or made up."""

# The library logs a traceback for every untrusted signature; here the answer says it.
logging.getLogger("pyhanko.sign.validation").setLevel(logging.ERROR)


REASON: dict[Role, str] = {
    "reporting": "报告医师 Reported by",
    "reviewing": "审核医师 Reviewed by",
    "director": "中心主任 Centre director",
}


class SignatureError(Exception):
    """A document cannot be signed, or is not readable as a signed one; the message says why."""


@dataclass(frozen=True)
class SignatureCheck:
    """What one signature is worth."""

    field: str
    """The signature's field in the PDF; empty for a record."""
    signer: str
    """The certificate's common name."""
    certificate_serial: str
    """Hexadecimal."""
    reason: str
    claimed_at: datetime | None
    """By the signer's own clock; proven only where a timestamp authority took part."""
    intact: bool
    """The signed bytes are those that were signed, by the key of this certificate."""
    trusted: bool
    """The certificate leads to one of the given roots and was valid at the moment looked at."""
    covers_whole_document: bool
    """Every byte up to the end of the file; the earlier of two signatures covers its own revision only."""
    modified_afterwards: bool
    """Something other than a further signature or timestamp was added after it."""
    problem: str = ""
    """What is wrong, in a sentence; empty where nothing is."""

    @property
    def sound(self) -> bool:
        """Intact, trusted and unchanged since."""
        return self.intact and self.trusted and not self.modified_afterwards


def sign(pdf: bytes, signers: Sequence[Signer], *, timestamper: TimeStamper | None = None) -> bytes:
    """Add one invisible PAdES signature a signer, in the given order; the time is this machine's, now.

    Args:
        pdf: as the release made it, or signed before.
        signers: unlocked identities, the reporting physician first.
        timestamper: pyHanko's client of a timestamp authority (RFC 3161); None for none.

    Raises:
        SignatureError: where the bytes are no PDF, or a key does not fit its certificate.
    """
    if not 1 <= len(signers) <= MAX_SIGNATURES:
        raise SignatureError(f"give 1 to {MAX_SIGNATURES} signers")
    for signer in signers:
        pdf = _sign_once(pdf, signer, timestamper)
    return pdf


def verify(pdf: bytes, roots: Sequence[bytes], *, at: datetime | None = None) -> list[SignatureCheck]:
    """Check every signature of a PDF, in signing order; an unsigned PDF has none.

    Args:
        pdf: the file.
        roots: trusted root certificates, PEM or DER.
        at: the moment at which certificates must have been valid; the signature's own claim where None.

    Raises:
        SignatureError: where the bytes cannot be read as a PDF at all.
    """
    try:
        reader = PdfFileReader(BytesIO(pdf))
        signatures = reader.embedded_regular_signatures
    except UNREADABLE as error:
        raise SignatureError(f"not readable as a PDF, so its signatures cannot be checked: {error}") from error
    return [_check(signature, roots, at) for signature in signatures]


def sign_record(payload: bytes, signer: Signer, *, timestamper: TimeStamper | None = None) -> bytes:
    """A detached CMS signature (RFC 5652, DER) over a record's exact bytes; the signing time is inside."""
    attributes = PdfCMSSignedAttributes(signing_time=datetime.now(UTC))
    signing = _pyhanko(signer).async_sign_general_data(
        payload, DIGEST, detached=True, timestamper=timestamper, signed_attr_settings=attributes
    )
    try:
        return bytes(asyncio.run(signing).dump())
    except SigningError as error:
        raise SignatureError(f"the record was not signed: {error}") from error


def verify_record(
    payload: bytes, signature: bytes, roots: Sequence[bytes], *, at: datetime | None = None
) -> SignatureCheck:
    """Check a detached signature against the record's bytes.

    Raises:
        SignatureError: where ``signature`` is no CMS signature.
    """
    trusted_roots = [_asn1(_load_root(root)) for root in roots]
    try:
        content = cms.ContentInfo.load(signature, strict=True)
        signed = content["content"]
        certificate = _signer_certificate(signed)
        claimed = _signing_time(signed)
        context = _context(trusted_roots, at or claimed, signed)
        status = asyncio.run(async_validate_detached_cms(payload, signed, signer_validation_context=context))
    except UNREADABLE as error:
        raise SignatureError(f"not a CMS signature, or a damaged one: {error}") from error
    intact = bool(status.intact and status.valid)
    return SignatureCheck(
        field="",
        signer=_common_name(certificate),
        certificate_serial=f"{certificate.serial_number:x}",
        reason="",
        claimed_at=claimed,
        intact=intact,
        trusted=bool(status.trusted),
        covers_whole_document=intact,
        modified_afterwards=not intact,
        problem=_problem(intact, bool(status.trusted), modified=False),
    )


def _sign_once(pdf: bytes, signer: Signer, timestamper: TimeStamper | None) -> bytes:
    try:
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        count = len(writer.prev.embedded_signatures)
        if count >= MAX_SIGNATURES:
            raise SignatureError(f"the document carries {count} signatures already")
        field = f"Signature{count + 1}"
        metadata = PdfSignatureMetadata(
            field_name=field,
            name=signer.name,
            reason=REASON[signer.role],
            md_algorithm=DIGEST,
            subfilter=SigSeedSubFilter.PADES,
            certify=count == 0,
            docmdp_permissions=MDPPerm.FILL_FORMS,
        )
        # PDF/A-2 wants the print flag on an annotation and forbids the hidden one (ISO 19005-2, 6.3.2).
        spec = SigFieldSpec(field, on_page=0, invis_sig_settings=InvisSigSettings(set_print_flag=True))
        engine = PdfSigner(metadata, _pyhanko(signer), timestamper=timestamper, new_field_spec=spec)
        output = BytesIO()
        engine.sign_pdf(writer, output=output)
    except (PdfError, SigningError) as error:
        raise SignatureError(f"{signer.name} could not sign: {error}") from error
    signed = output.getvalue()
    assert signed.startswith(pdf), "a signature never changes the bytes before it"
    return signed


def _pyhanko(signer: Signer) -> SimpleSigner:
    if signer.certificate.public_key() != signer.key.public_key():
        raise CredentialError(f"the key of {signer.name} does not belong to the certificate")
    store = SimpleCertificateStore.from_certs([_asn1(certificate) for certificate in signer.chain])  # type: ignore[no-untyped-call]
    der = signer.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SimpleSigner(_asn1(signer.certificate), keys.PrivateKeyInfo.load(der), store)


def _check(signature: EmbeddedPdfSignature, roots: Sequence[bytes], at: datetime | None) -> SignatureCheck:
    trusted_roots = [_asn1(_load_root(root)) for root in roots]
    try:
        claimed = signature.self_reported_timestamp
        certificate = signature.signer_cert
        reason = str(signature.sig_object.get("/Reason", ""))
        context = _context(trusted_roots, at or claimed, signature.signed_data)
        status = validate_pdf_signature(signature, context)
    except UNREADABLE as error:
        return _unreadable(str(signature.field_name), error)
    intact, trusted, modified = (
        bool(status.intact and status.valid),
        bool(status.trusted),
        not _only_signed_since(status),
    )
    return SignatureCheck(
        field=str(signature.field_name),
        signer=_common_name(certificate),
        certificate_serial=f"{certificate.serial_number:x}",
        reason=reason,
        claimed_at=claimed,
        intact=intact,
        trusted=trusted,
        covers_whole_document=status.coverage == SignatureCoverageLevel.ENTIRE_FILE,
        modified_afterwards=modified,
        problem=_problem(intact, trusted, modified=modified),
    )


def _unreadable(field: str, error: Exception) -> SignatureCheck:
    return SignatureCheck(
        field=field,
        signer="",
        certificate_serial="",
        reason="",
        claimed_at=None,
        intact=False,
        trusted=False,
        covers_whole_document=False,
        modified_afterwards=True,
        problem=f"the signature is damaged and cannot be checked: {error}",
    )


def _only_signed_since(status: PdfSignatureStatus) -> bool:
    if status.coverage == SignatureCoverageLevel.ENTIRE_FILE:
        return True
    if status.coverage != SignatureCoverageLevel.ENTIRE_REVISION or status.docmdp_ok is False:
        return False
    # The page has no form fields, so that "form filling" can only be a further signature. More bytes that mean
    # nothing (NONE) were added by nobody whom we know.
    return status.modification_level in {ModificationLevel.LTA_UPDATES, ModificationLevel.FORM_FILLING}


def _problem(intact: bool, trusted: bool, *, modified: bool) -> str:
    if not intact:
        return "the content was changed after signing, or the signature is not of this key"
    if modified:
        return "something was added to the document after signing"
    if not trusted:
        return "the certificate does not lead to a trusted authority, or was not valid at the time"
    return ""


def _context(
    roots: Sequence[asn1_x509.Certificate], moment: datetime | None, signed: cms.SignedData
) -> ValidationContext:
    """No roots trust nobody; nothing is fetched."""
    others = [choice.chosen for choice in signed["certificates"] if choice.name == "certificate"]
    return ValidationContext(
        trust_roots=list(roots),
        other_certs=others,
        moment=moment or datetime.now(UTC),
        allow_fetching=False,
        revocation_mode="soft-fail",
    )


def _load_root(root: bytes) -> x509.Certificate:
    try:
        if root.lstrip().startswith(b"-----"):
            return x509.load_pem_x509_certificate(root)
        return x509.load_der_x509_certificate(root)
    except ValueError as error:
        raise CredentialError(f"a trusted root is not readable as PEM or DER: {error}") from error


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def _signer_certificate(signed: cms.SignedData) -> asn1_x509.Certificate:
    sid = signed["signer_infos"][0]["sid"].chosen
    certificates = (choice.chosen for choice in signed["certificates"] if choice.name == "certificate")
    return next(found for found in certificates if found.serial_number == sid["serial_number"].native)


def _signing_time(signed: cms.SignedData) -> datetime | None:
    for attribute in signed["signer_infos"][0]["signed_attrs"]:
        if attribute["type"].native == "signing_time":
            value = attribute["values"][0].native
            assert isinstance(value, datetime)
            return value
    return None


def _common_name(certificate: asn1_x509.Certificate) -> str:
    return str(certificate.subject.native.get("common_name", ""))
