import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.formats import text_numbers
from worker.formats.errors import DamagedRecording
from worker.formats.text_numbers import decimals, decimals_or_absent, integers

NUMBERS = st.lists(st.integers(-(2**31), 2**31 - 1), max_size=60)
BETWEEN = st.sampled_from([" ", ",", ", ", "\n", ";", "\t ", ",\n\t\t", "\r\n"])


@given(NUMBERS, BETWEEN, st.integers(16, 200))
def test_whole_numbers_come_back(numbers, between, piece):
    before = text_numbers.PIECE_CHARACTERS
    text_numbers.PIECE_CHARACTERS = piece
    try:
        assert integers(between.join(map(str, numbers)), "lead I").tolist() == numbers
    finally:
        text_numbers.PIECE_CHARACTERS = before


@given(st.lists(st.decimals(-2000, 2000, places=3), min_size=1, max_size=60), BETWEEN)
def test_decimals_come_back(numbers, between):
    values, places = decimals(between.join(map(str, numbers)), "lead I")
    assert places == 3
    assert values.tolist() == [int(number * 1000) for number in numbers]


@pytest.mark.parametrize(
    ("text", "values", "places"),
    [
        ("", [], 0),
        (" \n ", [], 0),
        (",1,2,", [1, 2], 0),
        ("+5 -0 007", [5, 0, 7], 0),
        ("1. .5 -.25", [100, 50, -25], 2),
        ("1e2 -2.5E-1 3", [10_000, -25, 300], 2),
        ("1e-9 2", [1, 2_000_000_000], 9),
        ("1.2e-6 -3.4E-6", [12, -34], 7),
        ("0.50", [50], 2),
        ("1.23456789", [123_456_789], 8),
        ("0.1234567891234", [123_456_789], 9),
        ("3000.123456 0.5", [300_012_346, 50_000], 5),
        ("-2147483648 0.1", [-2_147_483_648, 0], 0),
        ("1E9,.6", [1_000_000_000, 1], 0),
        ("2000000000.0 -0.6", [2_000_000_000, -1], 0),
    ],
)
def test_what_is_read(text, values, places):
    found, by = decimals(text, "lead I")
    assert (found.tolist(), by) == (values, places)


NO_NUMBERS = (
    "5-3", "5-3 x", "1.2.3 e5", "-", "1 - 2", "--1", "1+", ".", "1 . 2", "-.", "..5", "e5", "1e", "1e+", "1e5.2",
    "1e5e5", "1_000", "0x10", "nan", "inf", "1,,2", "1, ,2", ",,", "1;,2", "١", "1\0 2", "1\x1c2", "99999999999",
    "-2147483649", "1" * 400, "1e400", "1e-400 1e301", "2147483648.0", "1" * 300_000,
)  # fmt: skip


@pytest.mark.parametrize("text", NO_NUMBERS, ids=[text[:12] for text in NO_NUMBERS])
def test_what_is_refused(text):
    with pytest.raises(DamagedRecording):
        decimals(text, "lead I")


@settings(max_examples=400)
@given(st.text("0123456789+-.eE, \n", max_size=12))
def test_agrees_with_python_number_by_number(text):
    tokens = text.replace(",", " ").split()
    try:
        expected = [float(token) for token in tokens]
    except ValueError:
        expected = None
    try:
        values, places = decimals(text, "lead I")
    except DamagedRecording:
        joined = "".join(text.split())
        assert expected is None or ",," in joined or any(abs(number) >= 2**31 - 1 for number in expected)
        return
    assert expected is not None
    np.testing.assert_allclose(values / 10.0**places, expected, rtol=1e-12, atol=0.5 * 10.0**-places)


def test_commas_of_two_pieces_are_seen_together():
    text = "1," * (text_numbers.PIECE_CHARACTERS // 2 - 1) + "1, ,2"
    with pytest.raises(DamagedRecording, match="between two commas"):
        decimals(text, "lead I")


def test_letters_that_stand_alone_are_samples_that_are_absent():
    values, places, absent = decimals_or_absent("1 E 2.5 U L 3", "lead I", "EUL")
    assert (values.tolist(), places, absent.tolist()) == (
        [10, 0, 25, 0, 0, 30], 1, [False, True, False, True, True, False],
    )  # fmt: skip
    assert decimals_or_absent("1 2E1", "lead I", "EUL")[2] is None
    for text in ("1 EE 2", "1 E2", "1 X"):
        with pytest.raises(DamagedRecording):
            decimals_or_absent(text, "lead I", "EUL")


@pytest.mark.parametrize("unit", ["1,", "-1234,", "1.5 ", "-1234.125\n", "1e0 "])
def test_eight_megabytes_take_well_below_a_second(unit):
    text = unit * (8 * 1024**2 // len(unit))
    best = min(timed(text) for _ in range(2))
    assert best < 0.9, f"{best:.2f} s"


def timed(text):
    start = time.process_time()
    decimals(text, "lead I")
    return time.process_time() - start
