"""What crosses the wire is refused whole when it carries anything unknown or impossible."""

import inspect
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from pydantic import ValidationError

from ecg_center.contract import findings, orders, printing, upload
from ecg_center.contract.base import Message, utc_iso
from ecg_center.contract.upload import MAX_RECORDING_BYTES, UploadOffer

MESSAGES = [
    message
    for module in (findings, orders, printing, upload)
    for _, message in inspect.getmembers(module, inspect.isclass)
    if issubclass(message, Message) and message is not Message
]
OFFER = {
    "sha256": "0" * 64,
    "size_bytes": 10,
    "institution_code": "T1",
    "transport": "dicom",
    "device": "DEMO",
    "safe_at": "2026-11-22T09:00:00+08:00",
}


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
def test_every_message_refuses_unknown_fields(message: type[Message]) -> None:
    with pytest.raises(ValidationError) as error:
        message.model_validate({"surprise": 1})
    assert ("surprise",) in [item["loc"] for item in error.value.errors() if item["type"] == "extra_forbidden"]


def test_a_message_is_frozen() -> None:
    with pytest.raises(ValidationError):
        UploadOffer.model_validate(OFFER).size_bytes = 11


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "A" * 64},
        {"sha256": "0" * 63},
        {"sha256": "0" * 64 + "\n"},
        {"sha256": "../../../../etc/passwd"},
        {"size_bytes": 0},
        {"size_bytes": -1},
        {"size_bytes": MAX_RECORDING_BYTES + 1},
        {"institution_code": ""},
        {"transport": "carrier pigeon"},
        {"device": "x" * 65},
        {"safe_at": "2026-11-22T09:00:00"},
        {"sop_instance_uid": "1.2.x"},
        {"file_name": "x" * 256},
        {"identity": {"age_years": -1}},
        {"identity": {"age_years": float("nan")}},
        {"identity": {"birth_date": "1960"}},
        {"identity": {"sex": "X"}},
    ],
)
def test_an_impossible_offer_is_refused(change: dict) -> None:
    UploadOffer.model_validate(OFFER)
    with pytest.raises(ValidationError):
        UploadOffer.model_validate(OFFER | change)


def test_a_message_survives_the_wire() -> None:
    offer = UploadOffer.model_validate(
        OFFER | {"identity": {"patient_name": "欧阳𠮷", "started_at": "2026-11-22T08:59:00Z"}}
    )
    assert UploadOffer.model_validate_json(offer.model_dump_json()) == offer
    task = printing.PrintTask(
        delivery_id=uuid4(),
        institution_code="T1",
        accession_number="T1-261122-001",
        report_version=1,
        urgent=True,
        pdf_sha256="0" * 64,
        pdf_size_bytes=1,
        released_at=datetime.now(UTC),
    )
    tasks = printing.PrintTasks(tasks=[task])
    assert printing.PrintTasks.model_validate_json(tasks.model_dump_json()) == tasks


def test_an_instant_without_its_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        utc_iso(datetime(2026, 11, 22))  # noqa: DTZ001
    assert utc_iso(datetime(2026, 11, 22, tzinfo=UTC)) == "2026-11-22T00:00:00.000+00:00"
