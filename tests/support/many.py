"""A county's year in one statement a table: thousands of open studies over a long history, for measuring."""

from sqlalchemy import text
from support.centre import Centre

from ecg_center.store.session import EVERYTHING

PATIENTS = """
INSERT INTO patient (id, institution_id, patient_no, name, sex, birth_date, created_at)
SELECT gen_random_uuid(), i.id, 'N' || n, '患者' || n, CASE n % 2 WHEN 0 THEN 'F' ELSE 'M' END,
       date '1950-01-01' + n % 20000, now() - n * interval '1 minute'
FROM generate_series(1, :patients) n
JOIN LATERAL (SELECT id FROM institution WHERE kind = 'member' ORDER BY code OFFSET n % 4 LIMIT 1) i ON true
"""
STUDIES = """
WITH numbered AS (SELECT row_number() OVER (ORDER BY patient_no) - 1 AS place, id, institution_id FROM patient),
     people AS (SELECT (SELECT id FROM person WHERE login = 'wang') AS wang,
                       (SELECT id FROM person WHERE login = 'li') AS li)
INSERT INTO study (id, institution_id, patient_id, accession_number, study_instance_uid, kind, state, urgent,
                   chest_pain, grade, urgency, indication, source, registered_at, received_at, writer_id, claimed_by,
                   lease_until)
SELECT gen_random_uuid(), p.institution_id, CASE WHEN n % 50 = 0 THEN NULL ELSE p.id END,
       CASE WHEN n % 50 = 0 THEN NULL ELSE 'L' || :series || lpad(n::text, 8, '0') END,
       '2.25.' || :series || n, 'resting',
       CASE WHEN :open THEN (ARRAY['received', 'preread', 'preread', 'writing', 'written', 'reviewing'])[1 + n % 6]
            WHEN n % 100 = 0 THEN 'registered' ELSE 'delivered' END,
       n % 20 = 1, n % 40 = 1, 'abnormal', CASE WHEN n % 40 = 1 THEN 0 WHEN n % 20 = 1 THEN 2 ELSE 4 END,
       '', 'outpatient',
       now() - n * :apart * interval '1 second', now() - n * :apart * interval '1 second', people.wang,
       CASE WHEN :open AND n % 6 = 3 THEN people.wang WHEN :open AND n % 6 = 5 THEN people.li END,
       CASE WHEN :open AND n % 6 IN (3, 5) THEN now() + interval '5 minutes' END
FROM generate_series(1, :studies) n JOIN numbered p ON p.place = n % :patients CROSS JOIN people
"""
RECORDINGS = """
INSERT INTO recording (id, institution_id, study_id, sha256, size_bytes, media_type, transport, state, identity,
                       safe_at, stored_at)
SELECT gen_random_uuid(), institution_id, id, md5(id::text) || md5(id::text), 20000, 'application/dicom', 'dicom',
       CASE WHEN urgency = 2 AND state = 'received' THEN 'quarantined' ELSE 'decoded' END,
       '{"patient_name": "ZHANG^SAN"}', received_at, received_at
FROM study WHERE state <> 'registered'
"""
DEADLINES = """
INSERT INTO deadline (study_id, kind, institution_id, warn_at, due_at, met_at)
SELECT s.id, k.kind, s.institution_id, s.received_at + k.minutes * interval '40 seconds',
       s.received_at + k.minutes * interval '1 minute',
       CASE WHEN s.state = 'delivered' OR (k.kind = 'written' AND s.state IN ('written', 'reviewing'))
            THEN s.received_at + interval '5 minutes' END
FROM study s CROSS JOIN (VALUES ('opinion', 10), ('written', 30), ('reviewed', 45)) k(kind, minutes)
WHERE s.state <> 'registered' AND (k.kind <> 'opinion' OR s.urgent)
"""
REPORTS = """
INSERT INTO report (id, institution_id, study_id, version, state, content, recording_id, writer_id, writer_name)
SELECT gen_random_uuid(), s.institution_id, s.id, 1,
       CASE WHEN s.state = 'delivered' THEN 'released' WHEN s.state = 'writing' THEN 'draft' ELSE 'written' END,
       '{}', r.id, s.writer_id, '王演示'
FROM study s JOIN recording r ON r.study_id = s.id WHERE s.state IN ('writing', 'written', 'reviewing', 'delivered')
"""
REVIEWS = """
INSERT INTO review (id, institution_id, report_id, reviewer_id, decision, reason, at)
SELECT gen_random_uuid(), institution_id, id, writer_id, 'return', '补充', now() FROM report WHERE state = 'draft'
"""
EVENTS = """
INSERT INTO study_event (study_id, institution_id, at, what, actor_kind, actor_name)
SELECT id, institution_id, registered_at + n * interval '1 minute', 'claim', 'person', '王演示'
FROM study CROSS JOIN generate_series(1, 10) n
"""


async def fill(centre: Centre, *, open_studies: int, history: int) -> None:
    """Open studies of the last hours over a history of delivered ones."""
    patients = {"patients": max(100, (open_studies + history) // 3)}
    async with centre.database.transaction(EVERYTHING) as session:
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        await session.execute(text(PATIENTS), patients)
        for series, number, is_open, apart in (("1", open_studies, True, 1), ("2", history, False, 60)):
            values = patients | {"series": series, "studies": number, "open": is_open, "apart": apart}
            await session.execute(text(STUDIES), values)
        for statement in (RECORDINGS, DEADLINES, REPORTS, REVIEWS, EVENTS):
            await session.execute(text(statement))
