"""Who registers the demo's exams? Simulated clerks of two clinics, over the API that a clinic's own system would use.

Their orders stand in the DICOM worklist, where the simulated recorders find them. Run by ``ecg-center demo``; address
and token come from the environment, so that no token stands in a process list.
"""

import asyncio
import os
import random
import sys
from typing import Any

import httpx

URL_VARIABLE = "ECG_DEMO_CENTRE_URL"
TOKEN_VARIABLE = "ECG_DEMO_TOKEN"  # noqa: S105 - the name of a variable

EVERY_S = (25.0, 50.0)
FIRST_ORDERS = 4
"""So that the worklist has something to show within the first half minute."""
MAX_OPEN = 12
"""Nobody registers ahead of the recorders for ever: beyond this the clerks wait."""

CLINICS = ("T1", "T2")
SURNAMES = "甲乙丙丁戊己庚辛壬癸"
INDICATIONS = ("演示：体检", "演示：心悸待查", "演示：高血压复查", "演示：术前检查", "演示：头晕")
DEPARTMENTS = ("全科", "内科", "急诊科", "体检科")


HOLTER_EVERY = 20
"""Every twentieth exam is a day of ECG, the first of a demo among them: 65 MB each."""
PRESSURE_EVERY = 7
"""Every seventh exam is an ambulatory blood pressure, the second of a demo among them."""


def exam(number: int, chance: random.Random) -> dict[str, Any]:
    """One registration; one in twelve comes with chest pain, one in seven to have the recorder of pressures read."""
    if number % PRESSURE_EVERY == 2:
        return pressure_exam(number, chance)
    if number % HOLTER_EVERY == 1:
        return holter_exam(number, chance)
    chest_pain = chance.random() < 1 / 12
    return {
        "institution_code": chance.choice(CLINICS),
        "patient": {
            "name": f"演示{chance.choice(SURNAMES)}{number:03d}",
            "sex": chance.choice("MF"),
            "age_years": chance.randint(18, 88),
        },
        "fee_item_code": "310701001",
        "indication": "演示：胸痛2小时" if chest_pain else chance.choice(INDICATIONS),
        "chest_pain": chest_pain,
        "source": "emergency" if chest_pain else chance.choice(("outpatient", "inpatient", "checkup")),
        "department": chance.choice(DEPARTMENTS),
    }


def holter_exam(number: int, chance: random.Random) -> dict[str, Any]:
    """A day of ECG, at the clinic that has the recorder."""
    return {
        "institution_code": "T2",
        "patient": {
            "name": f"演示{chance.choice(SURNAMES)}{number:03d}",
            "sex": chance.choice("MF"),
            "age_years": chance.randint(30, 84),
        },
        "kind": "holter",
        "fee_item_code": "310701003",
        "indication": "演示：阵发性心悸",
        "source": "outpatient",
        "department": chance.choice(DEPARTMENTS),
    }


def pressure_exam(number: int, chance: random.Random) -> dict[str, Any]:
    """An ambulatory blood pressure, at the clinic that has the recorder; the office pressure stands in the order."""
    systolic, diastolic = chance.randint(128, 172), chance.randint(76, 102)
    return {
        "institution_code": "T1",
        "patient": {
            "name": f"演示{chance.choice(SURNAMES)}{number:03d}",
            "sex": chance.choice("MF"),
            "age_years": chance.randint(30, 84),
        },
        "kind": "abpm",
        "fee_item_code": "310701022",
        "indication": f"演示：高血压评估，诊室血压{systolic}/{diastolic} mmHg",
        "source": "outpatient",
        "department": chance.choice(DEPARTMENTS),
    }


async def register(client: httpx.AsyncClient, number: int, chance: random.Random) -> None:
    """Register one exam, unless enough wait for their recording."""
    orders = (await client.get("/api/gateway/orders")).raise_for_status().json()["orders"]
    if len(orders) >= MAX_OPEN:
        return
    made = (await client.post("/api/registrations", json=exam(number, chance))).raise_for_status().json()
    print(f"registered {made['accession_number']}", flush=True)


async def main() -> None:
    """Register until stopped."""
    chance = random.Random()  # noqa: S311 - the demo's dice
    headers = {"Authorization": f"Bearer {os.environ[TOKEN_VARIABLE]}"}
    async with httpx.AsyncClient(base_url=os.environ[URL_VARIABLE], headers=headers, timeout=10) as client:
        number = 0
        while True:
            number += 1
            try:
                await register(client, number, chance)
            except httpx.HTTPError as error:
                print(
                    f"the centre did not take a registration ({error}); tried again later", file=sys.stderr, flush=True
                )
            if number >= FIRST_ORDERS:
                await asyncio.sleep(chance.uniform(*EVERY_S))


if __name__ == "__main__":
    asyncio.run(main())
