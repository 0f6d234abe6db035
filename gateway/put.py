"""How does a file from a USB stick get into the spool?"""

from datetime import tzinfo
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from ecg_center.contract.upload import RecordingIdentity
from gateway.devices.identity import read_identity
from gateway.items import Item, Origin
from gateway.spool import Spool

DICOM_PREFIX_AT = 128
"""PS3.10 section 7.1."""


def put(
    spool: Spool,
    file: Path,
    *,
    clinic: str,
    device: str,
    accession: str | None,
    chest_pain: bool,
    zone: tzinfo,
) -> Item:
    """Make the file safe as if the device had sent it.

    Raises:
        OSError: it cannot be read. SpoolError: it cannot be made safe.
    """
    data = file.read_bytes()
    dicom = data[DICOM_PREFIX_AT : DICOM_PREFIX_AT + 4] == b"DICM"
    identity = _dicom_identity(file, data, zone) if dicom else RecordingIdentity()
    said = {"accession_number": accession, "chest_pain": chest_pain or None}
    origin = Origin(
        institution_code=clinic,
        transport="folder",
        device=device,
        media_type="application/dicom" if dicom else "application/octet-stream",
        file_name=file.name[:255],
        identity=identity.model_copy(update={name: value for name, value in said.items() if value}),
    )
    return spool.store(origin, [data])


def _dicom_identity(file: Path, data: bytes, zone: tzinfo) -> RecordingIdentity:
    try:
        head = dcmread(file, stop_before_pixels=True, specific_tags=[]).file_meta
        start = DICOM_PREFIX_AT + 4 + 12 + int(head.FileMetaInformationGroupLength)
        return read_identity(
            memoryview(data)[start:], str(head.TransferSyntaxUID), str(head.MediaStorageSOPClassUID), zone
        )
    except (InvalidDicomError, AttributeError, ValueError, OSError):
        return RecordingIdentity()
