"""How does a Holter recorder write its day? ISHNE Holter 1.0 (Badilini, Ann Noninvasive Electrocardiol 1998;3:263).

A header of 522 bytes, a free text, then 16-bit samples, all leads in turn.
"""

import binascii
import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.simulate.patients import MARK_EN, DemoPerson

MAGIC: Final = b"ISHNE1.0"
HEADER_BYTES: Final = 522
VERSION: Final = 1
MAX_LEADS: Final = 12
UNUSED: Final = -9
"""What the standard writes into the places of leads that there are not."""
LEADS: Final = {"X": 2, "Y": 3, "Z": 4, "I": 5, "II": 6, "III": 7, "aVR": 8, "aVL": 9, "aVF": 10, "V1": 11, "V2": 12,
                "V3": 13, "V4": 14, "V5": 15, "V6": 16}  # fmt: skip
"""Table 1 of the standard."""
GOOD_QUALITY: Final = 1
SEXES: Final = {"M": 1, "F": 2}
CAUCASIAN: Final = 0
"""The field for race is left as unknown."""


def write_ishne(
    samples: NDArray[np.int16],
    leads: Sequence[str],
    sampling_hz: int,
    nv_per_lsb: int,
    person: DemoPerson,
    started_at: datetime,
) -> bytes:
    """The file of one recording, (n_leads, n) samples; its free text bears the demonstration's mark."""
    n_leads, n_samples = samples.shape
    if n_leads != len(leads) or n_leads > MAX_LEADS:
        raise ValueError(f"{n_leads} leads of samples, {len(leads)} names; ISHNE takes up to {MAX_LEADS}")
    text = MARK_EN.encode("ascii")
    born = person.birth_date
    block = struct.pack(
        "<4ih40s40s20s2h3h3h3h3hh",
        len(text), n_samples, HEADER_BYTES, HEADER_BYTES + len(text), VERSION,
        person.name_zh.encode("gb18030")[:40], b"", person.patient_id.encode("ascii"),
        SEXES[person.sex], CAUCASIAN, born.day, born.month, born.year,
        started_at.day, started_at.month, started_at.year,
        started_at.day, started_at.month, started_at.year,
        started_at.hour, started_at.minute, started_at.second, n_leads,
    )  # fmt: skip
    for values in ([LEADS[lead] for lead in leads], [GOOD_QUALITY] * n_leads, [nv_per_lsb] * n_leads):
        block += struct.pack(f"<{MAX_LEADS}h", *values, *[UNUSED] * (MAX_LEADS - n_leads))
    block += struct.pack("<h40sh80s80s88s", 0, b"digital", sampling_hz, b"ECG-CENTER-SIM", b"", b"") + text
    head = MAGIC + struct.pack("<H", binascii.crc_hqx(block, 0xFFFF)) + block
    return head + np.ascontiguousarray(samples.T, "<i2").tobytes()
