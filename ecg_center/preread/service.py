"""What does a recording look like, and what does the machine say of it?"""

from dataclasses import replace
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import Findings
from ecg_center.domain.errors import Conflict, NotFound
from ecg_center.preread import queries
from ecg_center.store.blobs import Blobs
from ecg_center.store.findings import newest_findings
from ecg_center.store.tables import Institution, Recording
from ecg_center.store.waveforms import Waveform, decode


async def findings_of(session: AsyncSession, recording_id: UUID) -> Findings | None:
    """The newest pre-read of a recording; None while there is none."""
    row = await newest_findings(session, recording_id)
    return None if row is None else Findings.model_validate(row.content)


async def recordings_of(session: AsyncSession, study_id: UUID) -> list[Recording]:
    """The recordings of a study, the newest first."""
    return await queries.recordings_of(session, study_id)


async def recording(session: AsyncSession, recording_id: UUID) -> tuple[Recording, Institution]:
    """One recording in sight.

    Raises:
        NotFound: there is none.
    """
    found = await queries.recording(session, recording_id)
    if found is None:
        raise NotFound("There is no such recording, or it belongs to another institution.")
    return found


async def waveform(blobs: Blobs, recording: Recording) -> Waveform:
    """The decoded signal of a recording.

    Raises:
        Conflict: it is not decoded yet, cannot be, or is a day's, which is asked for in stretches (``days``).
    """
    if recording.waveform is None:
        raise Conflict("The recording has not been decoded yet; try again in a moment.")
    if not recording.waveform["files"]:
        raise Conflict("This recording has no ECG: it holds blood pressure readings.")
    if "pyramid" in recording.waveform:
        raise Conflict("This recording is hours long; ask for a stretch of it.")
    return decode({suffix: await blobs.get(key) for suffix, key in recording.waveform["files"].items()})


def for_display(waveform: Waveform) -> Waveform:
    """The signal in 16 bits, as the viewer takes it: a lead beyond them is coarsened by a power of two, never clipped.

    A 24-bit recorder's least bits are far below what paper or screen can show; its peaks are not.
    """
    samples, scales, zeros = waveform.samples.astype(np.int32), list(waveform.uv_per_lsb), list(waveform.baseline)
    for index, lead in enumerate(samples):
        shift = max(0, int(np.abs(lead).max(initial=0)).bit_length() - 15)
        if shift:
            samples[index] = lead >> shift
            scales[index], zeros[index] = scales[index] * 2**shift, zeros[index] / 2**shift
    return replace(waveform, samples=samples.astype(np.int16), uv_per_lsb=tuple(scales), baseline=tuple(zeros))
