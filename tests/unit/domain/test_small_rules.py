"""Claims, priority, numbering and matching: the small rules, each with both of its sides."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from ecg_center.domain.claims import LEASE, RENEW_EVERY, holder, require_free, require_second_person
from ecg_center.domain.errors import Conflict, Invalid, NotAllowed
from ecg_center.domain.matching import Identity, OrderIdentity, contradictions, match
from ecg_center.domain.numbering import MAX_LENGTH, accession_number, study_instance_uid
from ecg_center.domain.priority import urgency

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ORDER = OrderIdentity("T1-261122-007", "P-100", "张三", "F", date(1960, 5, 4))
RECORDED = Identity("T1-261122-007", "P-100", "张三", "F", date(1960, 5, 4))


class TestClaims:
    def test_a_lease_holds_to_its_last_moment_and_not_at_its_end(self) -> None:
        person = uuid4()
        assert holder(person, NOW + LEASE, NOW) == person
        assert holder(person, NOW + timedelta(microseconds=1), NOW) == person
        assert holder(person, NOW, NOW) is None
        assert holder(None, None, NOW) is None
        assert holder(person, None, NOW) is None

    def test_a_lost_claim_leaves_time_for_someone_else_within_ten_minutes(self) -> None:
        assert timedelta(minutes=10) >= 2 * LEASE
        assert 4 * RENEW_EVERY < LEASE

    def test_only_another_person_is_refused(self) -> None:
        person = uuid4()
        require_free(None, person, "")
        require_free(person, person, "王")
        with pytest.raises(Conflict, match="王"):
            require_free(uuid4(), person, "王")

    def test_nobody_reviews_their_own_report(self) -> None:
        person = uuid4()
        require_second_person(uuid4(), person)
        with pytest.raises(NotAllowed):
            require_second_person(person, person)


class TestPriority:
    def test_the_order_of_what_is_read_first(self) -> None:
        seen = [
            urgency(chest_pain=True, urgent=False, grade=None),
            urgency(chest_pain=False, urgent=False, grade="critical"),
            urgency(chest_pain=False, urgent=True, grade=None),
            urgency(chest_pain=False, urgent=False, grade="major"),
            urgency(chest_pain=False, urgent=False, grade="abnormal"),
        ]
        assert seen == [0, 1, 2, 3, 4]

    @pytest.mark.parametrize(("chest_pain", "urgent"), list(itertools.product((True, False), repeat=2)))
    def test_the_machine_may_raise_a_study_and_never_lower_it(self, chest_pain: bool, urgent: bool) -> None:
        unread = urgency(chest_pain=chest_pain, urgent=urgent, grade=None)
        for grade in ("critical", "major", "abnormal", "normal"):
            assert urgency(chest_pain=chest_pain, urgent=urgent, grade=grade) <= unread


class TestNumbering:
    def test_the_longest_number_still_fits_dicom(self) -> None:
        assert len(accession_number("ABCD", date(2026, 11, 22), 9999)) == MAX_LENGTH == 16
        with pytest.raises(Invalid, match="used up"):
            accession_number("ABCD", date(2026, 11, 22), 10_000)

    @pytest.mark.parametrize("code", ["", "t1", "1T", "ABCDE", "T-1", "T1\n", "Ｔ1", "T 1"])
    def test_a_code_is_one_to_four_capitals_and_digits(self, code: str) -> None:
        with pytest.raises(Invalid, match="code"):
            accession_number(code, date(2026, 11, 22), 1)

    @pytest.mark.parametrize("number", [0, -1])
    def test_numbers_begin_with_one(self, number: int) -> None:
        with pytest.raises(Invalid):
            accession_number("T1", date(2026, 11, 22), number)

    def test_a_uid_has_at_most_64_characters(self) -> None:
        assert study_instance_uid("2.25", 2**128 - 1) == f"2.25.{2**128 - 1}"
        with pytest.raises(Invalid, match="64"):
            study_instance_uid("1.2.840.113619.6.408.1234567", 2**128 - 1)


class TestMatching:
    def test_the_accession_number_alone_matches(self) -> None:
        assert match(Identity(ORDER.accession_number), ORDER).matched
        assert match(RECORDED, ORDER).matched

    @pytest.mark.parametrize("number", [None, "", "T1-261122-008", "T1-261122-00", "007"])
    def test_nothing_but_the_accession_number_matches(self, number: str | None) -> None:
        """The same patient number, name, sex and birth date: still no match."""
        found = match(replace(RECORDED, accession_number=number), ORDER)
        assert (found.matched, found.against) == (False, [])

    def test_no_order_no_match(self) -> None:
        assert not match(RECORDED, None).matched

    @pytest.mark.parametrize(
        ("change", "against"),
        [
            ({"patient_id": "P-101"}, ["patient_id"]),
            ({"sex": "M"}, ["sex"]),
            ({"birth_date": date(1960, 4, 5)}, ["birth_date"]),
            ({"patient_id": "P-101", "sex": "M"}, ["patient_id", "sex"]),
        ],
    )
    def test_what_speaks_against_it_keeps_it_from_matching(self, change: dict, against: list[str]) -> None:
        found = match(replace(RECORDED, **change), ORDER)
        assert (found.matched, found.against) == (False, against)

    @pytest.mark.parametrize(
        "change",
        [
            {"patient_name": "ZHANG^SAN"},
            {"patient_id": None},
            {"patient_id": " p-100 "},
            {"patient_id": "Ｐ-１００"},
            {"sex": "O"},
            {"sex": None},
            {"birth_date": None},
            {"accession_number": " t1-261122-007"},
        ],
    )
    def test_what_is_missing_or_written_otherwise_is_no_contradiction(self, change: dict) -> None:
        assert match(replace(RECORDED, **change), ORDER).matched

    def test_an_order_of_unknown_birth_or_sex_denies_neither(self) -> None:
        assert contradictions(RECORDED, replace(ORDER, birth_date=None, sex="O")) == []
