"""How does the centre sign in a physician's name?

A physician's key is stored locked (PKCS#8) under the centre's passphrase; it is unlocked for one signature in answer
to the physician's own act, in a thread, and forgotten.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.domain.errors import Conflict
from ecg_center.signing.authority import Credential, Role, Signer
from ecg_center.signing.pades import sign, sign_record
from ecg_center.store.tables import SigningCertificate


class Signatures:
    """Signs with the physicians' stored certificates."""

    def __init__(self, passphrase: str) -> None:
        self._passphrase = passphrase

    async def record(self, session: AsyncSession, person_id: UUID, payload: bytes) -> bytes:
        """A detached CMS signature over a record's bytes.

        Raises:
            Conflict: the person has no valid certificate.
        """
        credential = await self._credential(session, person_id)
        return await asyncio.to_thread(lambda: sign_record(payload, credential.unlock(self._passphrase, "reporting")))

    async def credentials(
        self, session: AsyncSession, people: Sequence[tuple[UUID, str, Role]]
    ) -> list[tuple[Credential, str, Role]]:
        """The certificates of those who sign a document: (person, name, role) each.

        Raises:
            Conflict: one of them has no valid certificate.
        """
        return [(await self._credential(session, person), name, role) for person, name, role in people]

    def document(self, pdf: bytes, signers: Sequence[tuple[Credential, str, Role]]) -> bytes:
        """The PDF with one PAdES signature each, in the given order; takes tenths of a second, run it in a thread."""
        unlocked: list[Signer] = [credential.unlock(self._passphrase, role, name) for credential, name, role in signers]
        return sign(pdf, unlocked)

    async def _credential(self, session: AsyncSession, person_id: UUID) -> Credential:
        row = await require_certificate(session, person_id)
        return Credential(row.certificate_pem.encode(), row.chain_pem.encode(), row.encrypted_key_pem.encode())


async def require_certificate(session: AsyncSession, person_id: UUID) -> SigningCertificate:
    """The person's certificate; asked for when they sign, so that no report is released that cannot be printed.

    Raises:
        Conflict: they have none, or it was revoked.
    """
    row = await session.scalar(
        select(SigningCertificate)
        .where(SigningCertificate.person_id == person_id, SigningCertificate.revoked_at.is_(None))
        .order_by(SigningCertificate.created_at.desc())
        .limit(1)
    )
    if row is None:
        raise Conflict("You have no valid signing certificate; ask the centre's administrator for one.")
    return row


def certificate_row(person_id: UUID, credential: Credential) -> SigningCertificate:
    """A credential as it is stored."""
    return SigningCertificate(
        person_id=person_id,
        certificate_pem=credential.certificate_pem.decode(),
        chain_pem=credential.chain_pem.decode(),
        encrypted_key_pem=credential.key_pem.decode(),
    )
