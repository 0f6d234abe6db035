"""SCP-ECG: what does the record hold? (EN 1064:1993 to 2020, ISO 11073-91064:2009, AAMI EC71: versions 1.0 to 3.0)

Sections 0 to 8 and 10 to 12 are read, each by the module named after what it holds; that there was more is said
(:data:`NOT_READ`).
"""

from dataclasses import dataclass
from typing import Final

from worker.formats.binary import with_limb_leads
from worker.formats.dicom_text import Texts
from worker.formats.fields import HOLTER_FROM_S
from worker.formats.rows import assemble, checked_rate
from worker.formats.scp_header import Header, read_header
from worker.formats.scp_long import has_long_rhythm, read_long_rhythm
from worker.formats.scp_results import read_global, read_leads, read_statements
from worker.formats.scp_sections import PROTOCOL_3, Section, looks_like_scp, split
from worker.formats.scp_signal import read_signal
from worker.recording import Annotation, Kind, Recording

NAME: Final = "scp"
NOT_READ: Final = {
    9: "the manufacturer's own statements",
    13: "about a stress test or trial",
    14: "selected ECG sequences",
    15: "measurements of every beat",
    16: "measurements of selected beats",
    17: "measurements of pacemaker spikes",
    18: "further annotations",
}
"""What else a record may hold. Sections 13 to 18 came with version 3; their layout is in no public text."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What the device itself measured and said."""

    measurements: dict[str, float]
    statements: tuple[str, ...]
    spikes: tuple[Annotation, ...]


def recognises(data: bytes) -> bool:
    """Whether these bytes are an SCP-ECG record: by section 0, which must come first."""
    return looks_like_scp(data)


def read(data: bytes) -> Recording:
    """The recording of one SCP-ECG record.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    warnings: list[str] = []
    sections = split(data, warnings)
    _say_unread(sections, warnings)
    guess = Texts("")
    header = read_header(sections.get(1), guess, warnings)
    said = _said(sections, header, guess)
    if has_long_rhythm(sections.get(12)):
        return _long(sections, header, said, warnings, guess)
    protocol = header.protocol or max((section.protocol for section in sections.values()), default=0)
    signal = read_signal(sections, protocol, warnings)
    sampling_hz = checked_rate(signal.sampling_hz)
    block = assemble(signal.rows, warnings)
    median = assemble(signal.median, []) if any(row.samples.size for row in signal.median) else None
    kind: Kind = "holter" if block.digital.shape[1] / sampling_hz > HOLTER_FROM_S else "resting"
    recording = Recording(
        format=NAME,
        kind=kind,
        leads=block.leads,
        digital=block.digital,
        uv_per_lsb=block.uv_per_lsb,
        baseline=block.baseline,
        sampling_hz=sampling_hz,
        started_at=header.started_at,
        calibrated=signal.calibrated,
        identity=header.identity.model_copy(update={"study_kind": kind}),
        device=header.device,
        filters=header.filters,
        gaps=block.gaps,
        annotations=said.spikes,
        median_beat=median.median_beat(signal.median_hz) if median else None,
        device_measurements=said.measurements,
        device_statements=said.statements,
        warnings=(*warnings, *guess.warnings),
    )
    return with_limb_leads(recording)


def _say_unread(sections: dict[int, Section], warnings: list[str]) -> None:
    unread = [
        f"{what} (section {number})"
        for number, what in NOT_READ.items()
        if (section := sections.get(number)) and any(section.body) and (number == 9 or section.protocol >= PROTOCOL_3)
    ]
    if unread:
        warnings.append(f"the record also holds what is not read here: {', '.join(unread)}")


def _said(sections: dict[int, Section], header: Header, guess: Texts) -> _Said:
    measurements: dict[str, float] = {}
    spikes = read_global(sections.get(7), measurements)
    read_leads(sections.get(10), measurements)
    statements = read_statements(sections.get(8), header, guess, coded=False)
    statements += read_statements(sections.get(11), header, guess, coded=True)
    return _Said(measurements, tuple(dict.fromkeys(statements)), tuple(spikes))


def _long(sections: dict[int, Section], header: Header, said: _Said, warnings: list[str], guess: Texts) -> Recording:
    """The recording of section 12, version 3."""
    rhythm = read_long_rhythm(sections[12], warnings)
    if 6 in sections:
        warnings.append("the record also holds a short rhythm (section 6), which was left out beside the long one")
    started_at = rhythm.started_at or header.started_at
    sampling_hz = checked_rate(rhythm.sampling_hz)
    kind: Kind = "holter" if rhythm.digital.shape[1] / sampling_hz > HOLTER_FROM_S else "resting"
    if rhythm.started_at and header.started_at:
        started_at = rhythm.started_at.replace(tzinfo=header.started_at.tzinfo)
    recording = Recording(
        format=NAME,
        kind=kind,
        leads=rhythm.leads,
        digital=rhythm.digital,
        uv_per_lsb=rhythm.uv_per_lsb,
        baseline=rhythm.uv_per_lsb * 0.0,
        sampling_hz=sampling_hz,
        started_at=started_at,
        calibrated=rhythm.calibrated,
        identity=header.identity.model_copy(update={"study_kind": kind, "started_at": started_at}),
        device=header.device,
        filters=header.filters,
        annotations=said.spikes,
        device_measurements=said.measurements,
        device_statements=said.statements,
        warnings=(*warnings, *guess.warnings),
    )
    return with_limb_leads(recording)
