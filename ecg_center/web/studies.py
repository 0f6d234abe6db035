"""What does a page about one study show? Gathered once, for the reading desk, the review and the study's own page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import Findings
from ecg_center.contract.pressure import PressureFindings
from ecg_center.domain.claims import holder
from ecg_center.domain.statements import TERMS, in_report_order, overall_of
from ecg_center.preread import pressures
from ecg_center.preread import queries as preread_queries
from ecg_center.preread import service as preread
from ecg_center.preread.earlier import Earlier, earlier_of
from ecg_center.preread.schemas import PressureEditMade
from ecg_center.reporting import queries as reporting
from ecg_center.reporting import service as reporting_service
from ecg_center.reporting.schemas import OpinionForm, ReportContent
from ecg_center.review import service as review
from ecg_center.store.day_reports import usual_strips
from ecg_center.store.deadlines import deadlines_of
from ecg_center.store.studies import get_study
from ecg_center.store.tables import (
    DeadlineRow,
    Delivery,
    Institution,
    Opinion,
    Patient,
    PrereadProgress,
    Recording,
    Report,
    Review,
    Study,
)

PREVIOUS_LIMIT = 5
OTHERS_LIMIT = 5
"""Recordings of one study that its pages offer; a technician seldom makes a third."""


@dataclass(frozen=True)
class StudyView:
    """One study and all that hangs on it."""

    study: Study
    patient: Patient | None
    institution: Institution
    recordings: list[Recording]
    recording: Recording | None
    """The report's own; before there is a report the newest readable one, an ECG before blood pressures."""
    others: list[tuple[Recording, str | None]]
    """Readable recordings of the same kind beside it, the newest first, with the grade of their pre-read."""
    findings: Findings | None
    pressure_recording: Recording | None
    """The newest readable one that holds blood pressures; of a combined recorder the same as ``recording``."""
    pressure_findings: Findings | None
    pressure_edits: list[PressureEditMade]
    """What physicians changed in the readings, in order."""
    reports: list[Report]
    """Every version, the newest first."""
    reviews: list[Review]
    opinions: list[Opinion]
    deadlines: list[DeadlineRow]
    deliveries: list[Delivery]
    previous: list[Study]
    earlier: Earlier | None
    """What has changed since the patient's resting ECG before this one; None where there is nothing to compare."""
    holder_id: UUID | None
    progress: PrereadProgress | None
    """How far the machine is with a long recording; None where it reads none."""

    @property
    def name(self) -> str | None:
        """The patient's name; what the device wrote where there is no order yet."""
        if self.patient is not None:
            return self.patient.name
        return next((name for r in self.recordings if (name := r.identity.get("patient_name"))), None)

    @property
    def report(self) -> Report | None:
        """The newest version."""
        return self.reports[0] if self.reports else None

    @property
    def content(self) -> ReportContent:
        """What the newest version says."""
        return ReportContent.model_validate(self.report.content) if self.report else ReportContent()

    @property
    def prereads(self) -> list[Findings]:
        """What the machine says, an ECG before blood pressures; one of them where both are of one recording."""
        both = [self.findings, self.pressure_findings]
        return [one for at, one in enumerate(both) if one is not None and one not in both[:at]]

    @property
    def has_trace(self) -> bool:
        """Whether there is an ECG to be drawn."""
        return self.recording is not None and reporting_service.has_trace(self.recording)

    @property
    def modules(self) -> list[str]:
        """The scripts that draw what there is to look at."""
        if not self.has_trace:
            return ["js/pressure/sheet.js"] if self.pressure else []
        return ["js/holter/element.js" if self.is_day else "js/viewer/viewer.js"]

    def began_of(self, findings: Findings) -> datetime | None:
        """When the recording of a day began, whose times are those of the clock; None of a resting ECG."""
        if findings.kind == "abpm":
            return findings.pressure.started_at if findings.pressure else None
        return self.recording.started_at if self.is_day and self.recording else None

    @property
    def strips(self) -> dict[str, Any]:
        """The strips of a day that the report prints, the usual ones where none were chosen."""
        chosen = self.content.strips
        usual = usual_strips(self.findings.holter) if self.findings and self.findings.holter else []
        started_at = self.recording.started_at if self.recording else None
        return {
            "strips": [strip.model_dump(mode="json") for strip in (usual if chosen is None else chosen)],
            "chosen": chosen is not None,
            "started_at": started_at.isoformat() if started_at else None,
        }

    @property
    def is_day(self) -> bool:
        """Whether the ECG is of hours, and read on the desk of a day."""
        return self.recording is not None and "pyramid" in (self.recording.waveform or {})

    @property
    def pressure(self) -> PressureFindings | None:
        """The figures of the ambulatory blood pressure; None where the study has none."""
        return self.pressure_findings.pressure if self.pressure_findings else None

    @property
    def suggested(self) -> list[str]:
        """The pre-read's statements in report order."""
        return in_report_order([one.code for found in self.prereads for one in found.statements if one.code in TERMS])

    @property
    def adds_up_to(self) -> str:
        """The conclusion that the report's statements add up to, empty where they say nothing of the heart."""
        overall = overall_of([code for code in self.content.statements if code in TERMS])
        return overall.value if overall else ""

    @property
    def drawn(self) -> dict[str, Any]:
        """The part of the findings that the viewer draws."""
        if self.findings is None:
            return {}
        shown = {"beats_s", "beat_kinds", "median_beat_fiducials", "quality"}
        return self.findings.model_dump(mode="json", include=shown)

    @property
    def opinion_contents(self) -> list[tuple[Opinion, OpinionForm]]:
        """Each opinion with what it says."""
        return [(opinion, OpinionForm.model_validate(opinion.content)) for opinion in self.opinions]

    @property
    def wants_opinion(self) -> bool:
        """Whether the ten-minute opinion is asked for and not given."""
        return any(row.kind == "opinion" and row.met_at is None for row in self.deadlines)

    @property
    def returned(self) -> Review | None:
        """The reviewer's return that the present draft answers."""
        report = self.report
        if report is None or report.state != "draft":
            return None
        return next((r for r in self.reviews if r.report_id == report.id and r.decision == "return"), None)


async def study_view(session: AsyncSession, study_id: UUID, now: datetime) -> StudyView:
    """Gather one study in sight.

    Raises:
        NotFound: there is none.
    """
    study = await get_study(session, study_id)
    patient, institution = await reporting.patient_and_institution(session, study)
    assert institution is not None
    recordings = await preread.recordings_of(session, study_id)
    readable = [one for one in recordings if one.state == "decoded"]
    reports = await reporting.reports_of(session, study_id)
    recording = _shown(readable, reports[0].recording_id if reports else None)
    findings = await preread.findings_of(session, recording.id) if recording else None
    pressure_recording, pressure_findings = await _pressures(session, readable, recording, findings)
    return StudyView(
        study=study,
        patient=patient,
        institution=institution,
        recordings=recordings,
        recording=recording,
        others=await _others(session, readable, recording),
        findings=findings,
        pressure_recording=pressure_recording,
        pressure_findings=pressure_findings,
        pressure_edits=await _pressure_edits(session, pressure_recording),
        reports=reports,
        reviews=await review.reviews_of(session, study_id),
        opinions=await reporting.opinions_of(session, study_id),
        deadlines=await deadlines_of(session, study_id),
        deliveries=await reporting.deliveries_of(session, study_id),
        previous=await reporting.previous_studies(session, study, PREVIOUS_LIMIT),
        earlier=await earlier_of(session, study, recording, findings) if recording else None,
        holder_id=holder(study.claimed_by, study.lease_until, now),
        progress=await preread_queries.progress(session, study_id),
    )


def _shown(readable: list[Recording], of_report: UUID | None) -> Recording | None:
    """What the document draws, so that nothing else is seen; an ECG before blood pressures that came before it."""
    drawn = [one for one in readable if reporting_service.has_trace(one)] or readable
    return next((one for one in drawn if one.id == of_report), drawn[0] if drawn else None)


async def _others(
    session: AsyncSession, readable: list[Recording], shown: Recording | None
) -> list[tuple[Recording, str | None]]:
    if shown is None:
        return []
    alike = [one for one in readable if one is not shown and _kind(one) == _kind(shown)][:OTHERS_LIMIT]
    found = [await preread.findings_of(session, one.id) for one in alike]
    return [(one, said.grade if said else None) for one, said in zip(alike, found, strict=True)]


def _kind(recording: Recording) -> str | None:
    return (recording.waveform or {}).get("kind")


async def _pressure_edits(session: AsyncSession, recording: Recording | None) -> list[PressureEditMade]:
    """The edits of a recording of readings alone; a combined recorder's list is that of its ECG."""
    if recording is None or (recording.waveform or {}).get("kind") != "abpm":
        return []
    return await pressures.made(session, recording.id)


async def _pressures(
    session: AsyncSession, readable: list[Recording], shown: Recording | None, findings: Findings | None
) -> tuple[Recording | None, Findings | None]:
    """The newest recording with blood pressures and what is said of it; at first the one that is shown."""
    if findings is not None and findings.pressure is not None:
        return shown, findings
    for recording in readable:
        if recording is shown or (recording.waveform or {}).get("kind") != "abpm":
            continue
        found = await preread.findings_of(session, recording.id)
        if found is not None and found.pressure is not None:
            return recording, found
    return None, None
