"""How does a recorder at the clinic speak DICOM with its gateway?

As real ones do: verify the line (C-ECHO), ask the Modality Worklist for open orders (C-FIND), send the object
(C-STORE), and keep it and try again until the answer is Success. A recording is given up only when the peer says that
the object itself is wrong (status 0xAxxx to 0xCxxx except "out of resources"), for then another try cannot help.
"""

import re
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, Literal

import structlog
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made by its module at import
    ModalityWorklistInformationFind,
    Verification,
)

from gateway.simulate.dicom_file import DicomFile, WorklistOrder

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger()

TIMEOUT_S: Final = 30.0
"""For connecting, for an association's answer and for each response; recorders wait about this long."""

RETRY_FIRST_S: Final = 1.0
RETRY_MOST_S: Final = 60.0
"""A recorder in front of a waiting technician retries soon; after a minute's pause nobody gains by less."""

PRIORITY_MEDIUM: Final = 0
PRIORITY_HIGH: Final = 1

OUT_OF_RESOURCES: Final = range(0xA700, 0xA800)
"""PS3.4 table B.2-1: the peer is full, not the object wrong."""

MAX_WORKLIST: Final = 500
"""A recorder's list has an end; a clinic with more open orders than this has another problem."""


class DicomDeviceError(Exception):
    """The peer could not be reached or did not accept; the message says what to check."""


class ObjectRefusedError(DicomDeviceError):
    """The peer says that this object is wrong: sending it again will not help."""


@dataclass(frozen=True, slots=True)
class StoreTimes:
    """When a recording left the device and when the peer said that it is safe."""

    sop_instance_uid: str
    sent_at: datetime
    """The C-STORE request of the attempt that succeeded."""
    success_at: datetime
    attempts: int

    @property
    def milliseconds(self) -> float:
        """From request to Success."""
        return (self.success_at - self.sent_at).total_seconds() * 1000


@dataclass(frozen=True, slots=True)
class DicomDevice:
    """One simulated recorder and the gateway that it was set up for."""

    ae_title: str
    host: str
    port: int
    called_ae_title: str = "ECGGATEWAY"
    timeout_s: float = TIMEOUT_S

    def echo(self) -> float:
        """Verify the line; answers in how many milliseconds.

        Raises:
            DicomDeviceError: when there is no association or no Success.
        """
        started = time.perf_counter()
        with self._association(Verification) as association:
            status = association.send_c_echo()
            if not status or status.Status != 0:
                raise DicomDeviceError(f"{self._peer} did not answer C-ECHO with Success: {_status_text(status)}")
        return (time.perf_counter() - started) * 1000

    def worklist(self, day: date | None = None, modality: str = "ECG") -> list[WorklistOrder]:
        """The open orders of this recorder's clinic, in the peer's order.

        Args:
            day: only those scheduled for this day.
            modality: PS3.3 C.7.3.1.1.1; ECG, or HD for blood pressures.

        Raises:
            DicomDeviceError: when the query fails.
        """
        orders: list[WorklistOrder] = []
        with self._association(ModalityWorklistInformationFind) as association:
            responses = association.send_c_find(_worklist_query(day, modality), ModalityWorklistInformationFind)
            for status, answer in responses:
                if not status or status.Status not in {0x0000, 0xFF00, 0xFF01}:
                    raise DicomDeviceError(f"{self._peer} refused the worklist query: {_status_text(status)}")
                if answer is not None and len(orders) < MAX_WORKLIST:
                    orders.append(worklist_order(answer))
        return orders

    def store(self, file: DicomFile, *, urgent: bool = False) -> StoreTimes:
        """Send once.

        Args:
            file: the object.
            urgent: with DIMSE priority HIGH (PS3.7 section 9.3.1.1), as recorders do after the emergency button.

        Raises:
            ObjectRefusedError: the object is wrong.
            DicomDeviceError: anything else; it may be sent again.
        """
        dataset = dcmread(BytesIO(file.content))
        with self._association(file.sop_class_uid) as association:
            sent_at = datetime.now(UTC)
            status = association.send_c_store(dataset, priority=PRIORITY_HIGH if urgent else PRIORITY_MEDIUM)
            success_at = datetime.now(UTC)
        code = status.Status if status else None
        if code is None:
            raise DicomDeviceError(f"{self._peer} broke off during C-STORE; the recording stays on the device")
        # 0xB000.. are warnings: stored, with something coerced (PS3.4 table B.2-1)
        if code == 0 or 0xB000 <= code < 0xC000:
            return StoreTimes(file.sop_instance_uid, sent_at, success_at, 1)
        message = f"{self._peer} answered C-STORE with {_status_text(status)}"
        if (0xA000 <= code < 0xB000 or 0xC000 <= code < 0xD000) and code not in OUT_OF_RESOURCES:
            raise ObjectRefusedError(message)
        raise DicomDeviceError(message)

    def deliver(
        self,
        file: DicomFile,
        *,
        urgent: bool = False,
        give_up_after_s: float = 600.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> StoreTimes:
        """Send until Success, with growing pauses, as a recorder does.

        Raises:
            ObjectRefusedError: at once, when the object is wrong.
            DicomDeviceError: the last failure, when there was no Success in time.
        """
        deadline, pause_s, attempts = time.monotonic() + give_up_after_s, RETRY_FIRST_S, 0
        while True:
            attempts += 1
            try:
                times = self.store(file, urgent=urgent)
            except ObjectRefusedError:
                raise
            except DicomDeviceError as error:
                if time.monotonic() + pause_s > deadline:
                    raise
                log.warning("store_failed", device=self.ae_title, error=str(error), retry_in_s=pause_s)
                sleep(pause_s)
                pause_s = min(pause_s * 2, RETRY_MOST_S)
            else:
                return StoreTimes(times.sop_instance_uid, times.sent_at, times.success_at, attempts)

    @property
    def _peer(self) -> str:
        return f"{self.called_ae_title}@{self.host}:{self.port}"

    @contextmanager
    def _association(self, sop_class: str) -> "Iterator[Any]":
        entity = AE(ae_title=self.ae_title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = self.timeout_s
        entity.connection_timeout = self.timeout_s
        entity.add_requested_context(sop_class)
        association = entity.associate(self.host, self.port, ae_title=self.called_ae_title)
        if not association.is_established:
            reason = (
                "refused: is this AE title known to the gateway and the called one right?"
                if association.is_rejected
                else "not reached or no presentation context accepted: is the gateway running, host and port right?"
            )
            raise DicomDeviceError(f"association of {self.ae_title} with {self._peer} {reason}")
        try:
            yield association
        finally:
            if association.is_established:
                association.release()


def worklist_order(answer: Dataset) -> WorklistOrder:
    """One C-FIND answer (PS3.4 table K.6-1) as a recorder keeps it."""
    steps = answer.get("ScheduledProcedureStepSequence") or [Dataset()]
    step = steps[0]
    born = str(answer.get("PatientBirthDate") or "")
    sex: Literal["M", "F", "O"] | None = answer.get("PatientSex") or None
    return WorklistOrder(
        accession_number=str(answer.get("AccessionNumber") or ""),
        study_instance_uid=str(answer.get("StudyInstanceUID") or ""),
        patient_id=str(answer.get("PatientID") or ""),
        patient_name=str(answer.get("PatientName") or ""),
        sex=sex if sex in {"M", "F", "O"} else None,
        birth_date=datetime.strptime(born, "%Y%m%d").date() if re.fullmatch(r"\d{8}", born) else None,  # noqa: DTZ007
        requested_procedure_id=str(answer.get("RequestedProcedureID") or ""),
        scheduled_step_id=str(step.get("ScheduledProcedureStepID") or ""),
        procedure=str(
            step.get("ScheduledProcedureStepDescription") or answer.get("RequestedProcedureDescription") or ""
        ),
        urgent=str(answer.get("RequestedProcedurePriority") or "") in {"STAT", "HIGH"},
        reason=str(answer.get("ReasonForTheRequestedProcedure") or ""),
    )


def _worklist_query(day: date | None, modality: str) -> Dataset:
    step = Dataset()
    step.Modality = modality
    step.ScheduledStationAETitle = ""
    step.ScheduledProcedureStepStartDate = day.strftime("%Y%m%d") if day else ""
    step.ScheduledProcedureStepStartTime = ""
    step.ScheduledProcedureStepDescription = ""
    step.ScheduledProcedureStepID = ""
    query = Dataset()
    query.SpecificCharacterSet = "ISO_IR 192"
    query.ScheduledProcedureStepSequence = [step]
    for keyword in (
        "AccessionNumber",
        "StudyInstanceUID",
        "PatientID",
        "PatientName",
        "PatientSex",
        "PatientBirthDate",
        "RequestedProcedureID",
        "RequestedProcedureDescription",
        "RequestedProcedurePriority",
        "ReasonForTheRequestedProcedure",
        "ReferringPhysicianName",
    ):
        setattr(query, keyword, "")
    return query


def _status_text(status: Dataset | None) -> str:
    if not status:
        return "no answer (connection broken or timed out)"
    comment = str(status.get("ErrorComment") or "")
    return f"status 0x{status.Status:04X}" + (f" ({comment})" if comment else "")
