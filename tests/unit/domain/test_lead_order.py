"""Leads stand in the order of the paper, whatever order a device wrote them in."""

from ecg_center.domain.leads import STANDARD, in_standard_order


def test_standard_leads_come_first_in_their_order_and_the_others_as_they_came():
    assert in_standard_order(["V7", "I", "II", "V1", "V2", "III", "aVR", "V4R"]) == [
        "I", "II", "III", "aVR", "V1", "V2", "V7", "V4R",
    ]  # fmt: skip
    assert in_standard_order(reversed(STANDARD)) == list(STANDARD)
    assert in_standard_order([]) == []
