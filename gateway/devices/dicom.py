"""What does the gateway say to a recorder on the DICOM port?

C-ECHO: alive. C-STORE: Success only when the recording is fsynced in the spool. C-FIND on the Modality Worklist: the
open orders of the caller's institution. Who calls is told by the calling AE title, so one port serves many clinics; a
title that is not in ``[gateway.devices]`` is refused at the association.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import structlog
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pynetdicom import AE, _config, evt
from pynetdicom.dsutils import encode_file_meta
from pynetdicom.events import Event

from gateway.devices.identity import read_identity
from gateway.devices.worklist import BadQueryError, find
from gateway.health import Health
from gateway.items import Origin, RecordingSizeError, SpoolError, SpoolFullError
from gateway.orders import OrderCache
from gateway.settings import GatewaySettings
from gateway.spool import Spool

log = structlog.get_logger(__name__)

STORAGE_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.9.1.1",  # 12-Lead ECG Waveform Storage, PS3.3 A.34.3
    "1.2.840.10008.5.1.4.1.1.9.1.2",  # General ECG Waveform Storage, A.34.4
    "1.2.840.10008.5.1.4.1.1.9.1.3",  # Ambulatory ECG Waveform Storage, A.34.5
    "1.2.840.10008.5.1.4.1.1.9.1.4",  # General 32-bit ECG Waveform Storage, A.34.15
    "1.2.840.10008.5.1.4.1.1.9.2.1",  # Hemodynamic Waveform Storage, A.34.6
)
TRANSFER_SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
]

VERIFICATION = "1.2.840.10008.1.1"
MODALITY_WORKLIST_FIND = "1.2.840.10008.5.1.4.31"

# PS3.4 table B.2-1 (storage), table K.4-1 (worklist), PS3.7 annex C (general)
SUCCESS, PENDING, CANCELLED = 0x0000, 0xFF00, 0xFE00
OUT_OF_RESOURCES = 0xA700
CANNOT_UNDERSTAND = 0xC000
QUERY_MISMATCH = 0xA900
NOT_AUTHORISED = 0x0124
PROCESSING_FAILURE = 0x0110

IMPLEMENTATION_UID = UID("2.25.197408134259373210485921436750980122371")
IMPLEMENTATION_VERSION = "ECGGATEWAY_1"
"""Written into the file meta information, and fixed: the same dataset must give the same bytes, and so the same
SHA-256, from every release of this gateway and of the library below it."""

MAX_PDU_BYTES = 128 * 1024
"""The largest that dcmtk proposes; larger ones gain nothing on a clinic's network."""

ASSOCIATION_S = 30.0
"""An association request follows its connection at once; who needs more is no recorder."""


class DicomServer:
    """The DICOM port. ``start`` and ``stop`` may block for some tenths of a second: call them from a thread."""

    def __init__(self, settings: GatewaySettings, spool: Spool, orders: OrderCache, health: Health) -> None:
        self._settings = settings
        self._spool = spool
        self._orders = orders
        self._health = health
        self._ae: AE | None = None

    def start(self) -> int:
        """Listen; the port.

        Raises:
            OSError: the port is taken.
        """
        ours = self._settings.dicom
        titles = [name for name in self._settings.devices if len(name) <= 16 and name.isascii() and "\\" not in name]
        if not titles:
            self._health.report("dicom", "no device is listed in [gateway.devices]; every recorder is refused")
        _config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False  # patients do not belong in logs
        ae = AE(ours.ae_title)
        for storage_class in STORAGE_CLASSES:
            ae.add_supported_context(storage_class, TRANSFER_SYNTAXES)
        ae.add_supported_context(MODALITY_WORKLIST_FIND, TRANSFER_SYNTAXES)
        ae.add_supported_context(VERIFICATION, TRANSFER_SYNTAXES)
        ae.require_calling_aet = titles or ["*NOBODY*"]
        ae.require_called_aet = ours.require_called_ae_title
        ae.maximum_associations = ours.max_associations
        ae.maximum_pdu_size = MAX_PDU_BYTES
        ae.acse_timeout = ASSOCIATION_S
        ae.dimse_timeout = ae.network_timeout = ours.idle_seconds
        handlers: list[Any] = [
            (evt.EVT_C_ECHO, self._guarded(self._echo)),
            (evt.EVT_C_STORE, self._guarded(self._store)),
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_REJECTED, self._rejected),
        ]
        server = ae.start_server((ours.host, ours.port), block=False, evt_handlers=handlers)
        assert server is not None  # it is None only when it blocks
        self._ae = ae
        port = int(server.server_address[1])
        log.info("DICOM port open", host=ours.host, port=port, ae_title=ours.ae_title, devices=len(titles))
        return port

    def stop(self) -> None:
        """Close the port and end the associations."""
        if self._ae is not None:
            self._ae.shutdown()
            self._ae = None

    # -- services -----------------------------------------------------------------------------------------------

    def _guarded(self, handle: Callable[[Event], int | Dataset]) -> Callable[[Event], int | Dataset]:
        """No surprise may end in silence: the recorder is told, the log has the trace."""

        def handler(event: Event) -> int | Dataset:
            try:
                return handle(event)
            except Exception:
                log.exception("DICOM request failed", device=_calling(event))
                return _status(PROCESSING_FAILURE, "gateway failed; see its log")

        return handler

    def _echo(self, event: Event) -> int:
        log.debug("C-ECHO", device=_calling(event))
        return SUCCESS

    def _store(self, event: Event) -> int | Dataset:
        calling = _calling(event)
        institution = self._settings.institution_of(calling)
        if institution is None:
            return _status(NOT_AUTHORISED, f"AE title {calling} is not known here")
        dataset = event.encoded_dataset(include_meta=False)
        if not dataset:
            return _status(CANNOT_UNDERSTAND, "the data set is empty")
        try:
            self._spool.store(self._origin(event, dataset, calling, institution), [_file_head(event), dataset])
        except SpoolFullError as error:
            self._health.report("disk", str(error))
            return _status(OUT_OF_RESOURCES, "gateway disk is full")
        except RecordingSizeError as error:
            log.warning("recording not taken", device=calling, error=str(error))
            return _status(OUT_OF_RESOURCES, "recording is too large")
        except SpoolError as error:
            self._health.report("disk", str(error))
            return _status(OUT_OF_RESOURCES, "gateway disk failed")
        self._health.clear("disk")
        return SUCCESS

    def _origin(self, event: Event, dataset: bytes, calling: str, institution: str) -> Origin:
        request: Any = event.request
        identity = read_identity(
            dataset,
            str(event.context.transfer_syntax),
            str(request.AffectedSOPClassUID),
            self._settings.zone,
            high_priority=getattr(request, "Priority", None) == 1,
        )
        return Origin(
            institution_code=institution,
            transport="dicom",
            device=calling,
            device_address=str(event.assoc.requestor.address),
            media_type="application/dicom",
            sop_instance_uid=str(request.AffectedSOPInstanceUID),
            identity=identity,
        )

    def _find(self, event: Event) -> Iterator[tuple[int | Dataset, Dataset | None]]:
        calling = _calling(event)
        institution = self._settings.institution_of(calling)
        if institution is None:
            yield _status(NOT_AUTHORISED, f"AE title {calling} is not known here"), None
            return
        now = datetime.now(self._settings.zone)
        count = 0
        try:
            for answer in find(self._orders.of(institution), event.identifier, calling, now):
                if event.is_cancelled:
                    yield CANCELLED, None
                    return
                count += 1
                yield PENDING, answer
        except BadQueryError as error:
            yield _status(QUERY_MISMATCH, str(error)), None
        except Exception:
            log.exception("worklist query failed", device=calling)
            yield _status(CANNOT_UNDERSTAND, "the query cannot be read"), None
        age = self._orders.age(datetime.now(UTC))
        log.info("worklist asked", device=calling, answers=count, age_s=round(age.total_seconds()) if age else None)

    def _rejected(self, event: Event) -> None:
        log.warning(
            "association refused; list the AE title in [gateway.devices] if it is one of the clinic's",
            device=_calling(event),
            address=str(event.assoc.requestor.address),
        )


def _calling(event: Event) -> str:
    return str(event.assoc.requestor.ae_title).strip()


def _status(code: int, comment: str) -> Dataset:
    """A failure that says what it is; Error Comment (0000,0902) is LO, 64 characters."""
    status = Dataset()
    status.Status = code
    status.ErrorComment = comment[:64]
    return status


def _file_head(event: Event) -> bytes:
    """Preamble, prefix and file meta information (PS3.10 section 7.1), the same for the same dataset."""
    meta = event.file_meta
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION
    return b"\x00" * 128 + b"DICM" + bytes(encode_file_meta(meta))
