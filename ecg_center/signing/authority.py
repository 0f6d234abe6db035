"""Who vouches that a signature is this physician's?

In production a licensed certification authority (《电子签名法》 art. 16) issues the certificates and this module is the
form in which a person's certificate and locked key are stored. For the demo it is also the authority itself: every
name it writes says DEMO, so that no demo signature passes for a real one.

Keys are EC P-256 in PKCS#8, encrypted under the person's passphrase; nothing here writes them anywhere unlocked.
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self

from asn1crypto import core, keys, pem
from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

Role = Literal["reporting", "reviewing", "director"]
"""报告医师, 审核医师, 中心主任 (difficult cases)."""

DEMO = "DEMO"
NO_EFFECT = "DEMO - no legal effect"
COUNTRY = "CN"
ROOT_LIFE = timedelta(days=3650)
PERSON_LIFE = timedelta(days=730)
"""Licensed authorities issue to persons for one to three years."""
CLOCK_SKEW = timedelta(minutes=5)
"""Certificates are valid from a little before their issue, for machines whose clocks lag."""
KDF_ROUNDS = 600_000
"""PBKDF2-HMAC-SHA-256, OWASP Password Storage Cheat Sheet 2023; opening a key takes about a tenth of a second."""
NAME_LIMIT = 64
"""X.520 upper bound of a common name and an organisation name (RFC 5280 appendix A)."""
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""id-kp-documentSigning, RFC 9336."""


class CredentialError(Exception):
    """A certificate or key cannot be made or used; the message says why."""


@dataclass(frozen=True)
class Signer:
    """An unlocked identity, ready to sign; keep it no longer than the signing takes."""

    name: str
    role: Role
    certificate: x509.Certificate
    key: PrivateKeyTypes
    chain: tuple[x509.Certificate, ...] = ()
    """The issuers, the signer's own first, up to the root."""


@dataclass(frozen=True)
class Credential:
    """One person's certificate, its chain and the locked key, as they are stored."""

    certificate_pem: bytes
    chain_pem: bytes
    key_pem: bytes
    """PKCS#8, encrypted."""

    @property
    def certificate(self) -> x509.Certificate:
        """The person's certificate."""
        return x509.load_pem_x509_certificate(self.certificate_pem)

    def unlock(self, passphrase: str, role: Role, name: str | None = None) -> Signer:
        """The identity in one role; ``name`` is the certificate's common name where None.

        Takes a tenth of a second by design: run it in a thread.

        Raises:
            CredentialError: for a wrong passphrase.
        """
        certificate = self.certificate
        chain = tuple(x509.load_pem_x509_certificates(self.chain_pem)) if self.chain_pem else ()
        return Signer(name or common_name(certificate), role, certificate, _unlock(self.key_pem, passphrase), chain)


@dataclass(frozen=True)
class DemoAuthority:
    """A root that issues physicians' certificates for the demo and the tests."""

    certificate_pem: bytes
    key_pem: bytes
    """PKCS#8, encrypted."""

    @classmethod
    def create(cls, name: str, passphrase: str, now: datetime) -> Self:
        """A new root, named so that nobody takes it for a real one."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(f"{DEMO} {name}", name)
        certificate = (
            _builder(subject, subject, key.public_key(), now, ROOT_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(issues=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(_pem(certificate), _lock(key, passphrase))

    def issue(
        self,
        name: str,
        staff_number: str,
        organization: str,
        *,
        authority_passphrase: str,
        passphrase: str,
        now: datetime,
    ) -> Credential:
        """A physician's certificate for signing documents, with a new key under the physician's own passphrase.

        Raises:
            CredentialError: for a wrong passphrase of the authority, or names longer than a certificate holds.
        """
        root = x509.load_pem_x509_certificate(self.certificate_pem)
        root_key = _unlock(self.key_pem, authority_passphrase)
        assert isinstance(root_key, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]
        certificate = (
            _builder(
                _name(f"{name} ({DEMO})", organization, staff_number), root.subject, key.public_key(), now, PERSON_LIFE
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(issues=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
            .sign(root_key, hashes.SHA256())
        )
        return Credential(_pem(certificate), self.certificate_pem, _lock(key, passphrase))


def common_name(certificate: x509.Certificate) -> str:
    """The subject's common name, empty where it has none."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _name(common: str, organization: str, serial: str | None = None) -> x509.Name:
    for value in (common, organization, serial or ""):
        if len(value) > NAME_LIMIT:
            raise CredentialError(f"{value!r} is longer than the {NAME_LIMIT} characters of a certificate's name")
    attributes = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, COUNTRY),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, NO_EFFECT),
        x509.NameAttribute(NameOID.COMMON_NAME, common),
    ]
    if serial:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial))
    return x509.Name(attributes)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + life)
    )


def _key_usage(*, issues: bool) -> x509.KeyUsage:
    """For a person: digitalSignature and contentCommitment, the non-repudiation that a signed report is about."""
    return x509.KeyUsage(
        digital_signature=not issues,
        content_commitment=not issues,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _lock(key: ec.EllipticCurvePrivateKey, passphrase: str) -> bytes:
    """PKCS#8 under PBES2 (RFC 8018), by hand because cryptography fixes the rounds of its own at 2048."""
    if not passphrase:
        raise CredentialError("a key is never stored without a passphrase; give one")
    plain = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    salt, vector = os.urandom(16), os.urandom(16)
    derived = PBKDF2HMAC(hashes.SHA256(), 32, salt, KDF_ROUNDS).derive(passphrase.encode())
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES256(derived), modes.CBC(vector)).encryptor()
    encrypted = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    derivation = {"salt": core.OctetString(salt), "iteration_count": KDF_ROUNDS, "prf": {"algorithm": "sha256"}}
    parameters = {
        "key_derivation_func": {"algorithm": "pbkdf2", "parameters": derivation},
        "encryption_scheme": {"algorithm": "aes256_cbc", "parameters": vector},
    }
    info = {"encryption_algorithm": {"algorithm": "pbes2", "parameters": parameters}, "encrypted_data": encrypted}
    locked = pem.armor("ENCRYPTED PRIVATE KEY", keys.EncryptedPrivateKeyInfo(info).dump())
    assert _unlock(locked, passphrase).public_key() == key.public_key(), "a locked key opens again"
    return bytes(locked)


def _unlock(key_pem: bytes, passphrase: str) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(key_pem, passphrase.encode())
    except (ValueError, TypeError) as error:
        raise CredentialError("the key does not open; check the passphrase") from error
