"""How is an accession number (检查号) formed?

``<institution code>-<yymmdd>-<running number of the day>``: readable on the telephone, unique in the community, and
within DICOM's SH of 16 characters (PS3.5 table 6.2-1), so an institution's code has at most four.
"""

import re
from datetime import date

from ecg_center.domain.errors import Invalid

MAX_LENGTH = 16
CODE = re.compile(r"[A-Z][A-Z0-9]{0,3}")


def accession_number(institution_code: str, day: date, number: int) -> str:
    """The accession number of the day's ``number``-th registration.

    >>> accession_number("T1", date(2026, 11, 22), 7)
    'T1-261122-007'

    Raises:
        Invalid: the code does not fit, or the day's numbers are used up (9999).
    """
    if not CODE.fullmatch(institution_code):
        raise Invalid("An institution's code is 1 to 4 capital letters and digits.", field="code")
    text = f"{institution_code}-{day:%y%m%d}-{number:03d}"
    if number < 1 or len(text) > MAX_LENGTH:
        raise Invalid("The accession numbers of the day are used up.", field="accession_number")
    return text


def study_instance_uid(root: str, study_int: int) -> str:
    """A DICOM Study Instance UID (PS3.5 B.2: ``2.25.`` and the UUID as a decimal, unless a root is configured)."""
    uid = f"{root}.{study_int}"
    if len(uid) > 64:
        raise Invalid("The UID root is too long: a UID has at most 64 characters.", field="uid_root")
    return uid
