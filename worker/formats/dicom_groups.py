"""How do the multiplex groups of a DICOM waveform become one block of samples? (PS3.3 C.10.9.1)

Groups that hold different leads, or the same leads at other times, are laid on one time axis; what no group covers is
a gap. Nothing is resampled: groups of another rate than the main one are named in a warning and left out.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.formats import dicom_tables as t
from worker.formats.binary import as_samples, value_gaps
from worker.formats.dicom_elements import DataSet
from worker.formats.dicom_text import Texts
from worker.formats.errors import DamagedRecording, NoWaveform, UnsupportedRecording
from worker.leads import is_ecg, standard_name
from worker.mapped import in_blocks
from worker.recording import MAX_LEADS, MAX_SAMPLING_HZ, MIN_SAMPLING_HZ, Filters, Floats, Gap, Samples

MAX_SPARSENESS: Final = 8
"""A common time axis has at most this many times the cells that were measured; beyond that the offsets are wrong."""
MAX_UV_PER_LSB: Final = 1e5
_MEDIAN_LABEL: Final = re.compile(r"median|representative|average|template|mean beat", re.I)


@dataclass(frozen=True, slots=True)
class Channel:
    """One lead of one group."""

    lead: str
    uv_per_lsb: float
    baseline: float
    offset_samples: int
    calibrated: bool
    filters: Filters
    derived: bool = False


@dataclass(eq=False)
class Group:
    """One multiplex group, its ECG channels alone."""

    channels: list[Channel]
    digital: Samples
    sampling_hz: float
    offset_s: float
    label: str
    derived: bool
    gaps: tuple[Gap, ...] = ()

    def scales(self) -> Floats:
        """(n,) µV of one step."""
        return np.array([channel.uv_per_lsb for channel in self.channels])

    def baselines(self) -> Floats:
        """(n,) digital value of 0 µV."""
        return np.array([channel.baseline for channel in self.channels])

    @property
    def duration_s(self) -> float:
        """Seconds from first to last sample."""
        return float(self.digital.shape[1] / self.sampling_hz)


def read_group(item: DataSet, texts: Texts, warnings: list[str], *, of_ecg_class: bool) -> Group | None:
    """The ECG of one multiplex group; None where it has none.

    In an object of another class than those for ECGs (catheter laboratory, electrophysiology), what is measured in
    volts beside leads of the surface comes from inside the heart or from a device, and is left out.
    """
    label = texts.decode(item.raw(t.GROUP_LABEL))[:64]
    sampling_hz = item.decimal(t.SAMPLING_HZ)
    if sampling_hz is None or not MIN_SAMPLING_HZ <= sampling_hz <= MAX_SAMPLING_HZ:
        raise DamagedRecording(f"a multiplex group gives {item.ascii(t.SAMPLING_HZ)!r} as its sampling frequency in Hz")
    definitions = item.items(t.CHANNEL_DEFINITIONS)
    samples = _samples(item, len(definitions), warnings)
    channels: list[Channel] = []
    rows: list[int] = []
    names: set[str] = set()
    for row, definition in enumerate(definitions):
        channel = _channel(definition, texts, sampling_hz, names, warnings)
        if channel is not None:
            names.add(channel.lead)
            channels.append(channel)
            rows.append(row)
    if not channels or samples.shape[1] == 0:
        return None
    kept = [place for place, channel in enumerate(channels) if of_ecg_class or is_ecg(channel.lead)]
    if 0 < len(kept) < len(channels):
        left_out = sorted(channel.lead for channel in channels if not is_ecg(channel.lead))
        warnings.append(f"channels that are no ECG lead were left out: {', '.join(left_out)[:200]}")
        channels, rows = [channels[place] for place in kept], [rows[place] for place in kept]
    digital = _digital(samples, rows, definitions, warnings)
    gaps = _padding_gaps(item, digital, channels, samples.dtype)
    offset_s = (item.decimal(t.GROUP_TIME_OFFSET_MS) or 0.0) / 1000
    derived = item.ascii(t.ORIGINALITY) == "DERIVED"
    return Group(channels, digital, sampling_hz, offset_s, label, derived, gaps)


def _samples(item: DataSet, n_definitions: int, warnings: list[str]) -> NDArray[np.generic]:
    """(n_samples, n_channels) of the file's own type, a view on its bytes."""
    n_channels, claimed = item.unsigned(t.CHANNELS) or 0, item.unsigned(t.SAMPLES)
    interpretation, bits = item.ascii(t.INTERPRETATION), item.unsigned(t.BITS_ALLOCATED)
    if interpretation in t.COMPANDED:
        raise UnsupportedRecording(
            f"the samples are {t.COMPANDED[interpretation]} ({interpretation}), which no ECG class allows; "
            "set the device to 16-bit linear samples"
        )
    kind = _sample_type(interpretation, bits, warnings)
    dtype = np.dtype(f"{item.syntax.order}{kind}")
    raw = item.view(t.DATA)
    if n_channels != n_definitions:
        fits = claimed and len(raw) - claimed * n_definitions * dtype.itemsize in (0, 1)
        if not n_definitions or not (fits or n_channels == 0):
            raise DamagedRecording(f"a multiplex group of {n_channels} channels defines {n_definitions} of them")
        warnings.append(f"a multiplex group says that it has {n_channels} channels and holds {n_definitions}")
        n_channels = n_definitions
    if n_channels == 0:
        raise DamagedRecording("a multiplex group has no channels")
    frame = dtype.itemsize * n_channels
    held = len(raw) // frame
    n_samples = held if claimed is None else min(held, claimed)
    if claimed is not None and claimed > held:
        warnings.append(f"a multiplex group claims {claimed} samples a lead and holds {held}")
    return np.frombuffer(raw, dtype, n_samples * n_channels).reshape(n_samples, n_channels)


def _sample_type(interpretation: str, bits: int | None, warnings: list[str]) -> str:
    """How numpy calls the samples; what is missing is taken from what is there where it can mean one thing only."""
    if not interpretation and bits in (16, 32):
        warnings.append(f"the object does not say how its samples of {bits} bits are read; they were taken as signed")
        interpretation = "SS" if bits == 16 else "SL"
    if bits is None:
        bits = next((size for known, size in t.SAMPLE_TYPES if known == interpretation), None)
    kind = t.SAMPLE_TYPES.get((interpretation, bits or 0))
    if kind is None:
        raise UnsupportedRecording(
            f"samples of {bits} bits read as {interpretation!r} are not defined for DICOM waveforms"
        )
    return kind


def _channel(
    definition: DataSet, texts: Texts, sampling_hz: float, names: set[str], warnings: list[str]
) -> Channel | None:
    lead = _lead(definition, texts)
    sensitivity, correction = definition.decimal(t.SENSITIVITY), definition.decimal(t.CORRECTION)
    units = definition.items(t.SENSITIVITY_UNITS)
    unit = units[0].ascii(t.CODE_VALUE) if units else ""
    if unit and _microvolts(units[0], unit) is None:
        warnings.append(f"channel {lead or '?'} is measured in {unit[:16]!r}, not in volts, and was left out")
        return None
    calibrated = bool(sensitivity) and bool(unit)
    per_lsb = (
        (sensitivity or 1.0)
        * (1.0 if correction in (None, 0.0) else correction)
        * (_microvolts(units[0], unit) or 1.0 if unit else 1.0)
    )
    if not 0 < abs(per_lsb) <= MAX_UV_PER_LSB:
        raise DamagedRecording(f"channel {lead or '?'} has a step of {per_lsb:g} µV, which no ECG recorder has")
    if not calibrated:
        warnings.append(f"channel {lead or '?'} does not say how large its steps are; amplitudes are not to be trusted")
    zero_in_units = (definition.decimal(t.BASELINE) or 0.0) * (_microvolts(units[0], unit) or 1.0 if unit else 1.0)
    offset_s = (definition.decimal(t.TIME_SKEW_S) or 0.0) + (definition.decimal(t.CHANNEL_OFFSET_S) or 0.0)
    offset = (definition.decimal(t.SAMPLE_SKEW) or 0.0) + offset_s * sampling_hz
    lead = lead or f"channel {len(names) + 1}"
    unique = (
        lead if lead not in names else next(f"{lead} #{n}" for n in range(2, 10_000) if f"{lead} #{n}" not in names)
    )
    filters = Filters(
        definition.decimal(t.FILTER_LOW) or None,
        definition.decimal(t.FILTER_HIGH) or None,
        definition.decimal(t.FILTER_NOTCH) or None,
    )
    derived = definition.ascii(t.CHANNEL_DERIVATION) == t.DERIVED_FROM_I_AND_II
    return Channel(unique, per_lsb, 0.0 - zero_in_units / per_lsb, round(offset), calibrated, filters, derived)


def _microvolts(units: DataSet, unit: str) -> float | None:
    raw = units.raw(t.CODE_VALUE).strip(b" \0")
    if unit in t.MICROVOLTS:
        return t.MICROVOLTS[unit]
    return 1.0 if raw in (b"\xb5V", "µV".encode(), "μV".encode()) else None


def _lead(definition: DataSet, texts: Texts) -> str:
    """The lead's name: by code, else by the code's meaning, else by the channel's label."""
    sources = definition.items(t.CHANNEL_SOURCE)
    label = texts.decode(definition.raw(t.CHANNEL_LABEL))[:32]
    if sources:
        value = sources[0].ascii(t.CODE_VALUE)
        if lead := t.lead_of_code(value):
            return lead
        meaning = standard_name(re.sub(r"\s*\(.*?\)\s*$", "", texts.decode(sources[0].raw(t.CODE_MEANING))[:64]))
        for candidate in (meaning, standard_name(value), standard_name(label)):
            if is_ecg(candidate):
                return candidate
        return label or meaning
    return standard_name(label)


def _digital(samples: NDArray[np.generic], rows: list[int], definitions: list[DataSet], warnings: list[str]) -> Samples:
    """(n_channels, n_samples) int16 or int32, signs extended where a device stored 12 bits without them."""
    taken = samples.T if rows == list(range(samples.shape[1])) else samples.T[rows]
    kind, bits = samples.dtype.kind, samples.dtype.itemsize * 8
    if kind == "u" and bits == 32 and int(taken.max(initial=0)) > np.iinfo(np.int32).max:
        raise UnsupportedRecording("unsigned 32-bit samples above 2147483647 are beyond what any recorder resolves")
    wide = bits == 32 or (kind == "u" and bits == 16)
    digital = as_samples(taken, np.int32 if wide else np.int16)
    if kind == "i":
        for place, row in enumerate(rows):
            stored = definitions[row].unsigned(t.BITS_STORED) or bits
            if 1 < stored < bits and _came_without_sign(digital[place : place + 1], stored):
                digital = digital if digital.flags.writeable else digital.copy()
                lead: Any = digital[place]
                negative = lead >= 1 << (stored - 1)
                lead[negative] = lead[negative].astype(np.int64) - (1 << stored)
                warnings.append(f"samples of {stored} bits came without their sign, which was restored")
    return digital


def _came_without_sign(lead: Samples, stored: int) -> bool:
    """Whether the samples keep to 0 … 2^stored and away from its middle, where no signal jumps from end to end."""
    half = 1 << (stored - 1)
    lowest, highest, n_middle = 0, 0, 0
    for _, block in in_blocks(lead):
        lowest, highest = min(lowest, int(block.min())), max(highest, int(block.max()))
        if lowest < 0:
            return False
        n_middle += int(np.count_nonzero((block >= half // 2) & (block < half + half // 2)))
    return half <= highest < 2 * half and n_middle < lead.size / 2


def _padding_gaps(item: DataSet, digital: Samples, channels: list[Channel], dtype: np.dtype[Any]) -> tuple[Gap, ...]:
    """Gaps where a lead holds the padding value, if that is the extreme of its range.

    Devices declare 0 as padding although 0 is an ordinary sample, so only an extreme value is believed.
    """
    raw = item.raw(t.PADDING)[: dtype.itemsize]
    if len(raw) < dtype.itemsize or dtype.kind != "i":
        return ()
    padding = int(np.frombuffer(raw, dtype, 1)[0])
    if padding not in (np.iinfo(digital.dtype).min, np.iinfo(dtype).min):
        return ()
    return value_gaps(digital, tuple(channel.lead for channel in channels), [padding] * len(channels))


def median_group(groups: list[Group]) -> Group | None:
    """The group that is a representative beat, if there is one beside the recording."""
    if len(groups) < 2:
        return None
    longest = max(group.duration_s for group in groups)
    short = [group for group in groups if group.duration_s < min(longest, 3.0)]
    labelled = [group for group in groups if group.duration_s < longest and _MEDIAN_LABEL.search(group.label)]
    return next(iter(labelled or [group for group in short if group.derived]), None)


def is_computed(group: Group) -> bool:
    """Whether a group says of itself that it was computed from another."""
    return group.derived or _MEDIAN_LABEL.search(group.label) is not None


def assemble(groups: list[Group], warnings: list[str]) -> Group:
    """All groups of the main one's rate on one time axis."""
    if not groups:
        raise NoWaveform("the object holds a median beat alone, without the recording it was made of")
    main = max(groups, key=lambda group: (not group.derived, len(group.channels) * group.digital.shape[1]))
    used = [main]
    for group in groups:
        if group is main:
            continue
        same = group.sampling_hz == main.sampling_hz and not any(_overlap(group, other) for other in used)
        if same and sum(len(g.channels) for g in used) + len(group.channels) <= MAX_LEADS and not group.derived:
            used.append(group)
        else:
            warnings.append(
                f"the multiplex group {group.label or 'without a label'!r} was left out beside the main one"
            )
    used.sort(key=lambda group: (group.offset_s, groups.index(group)))
    if len(used) == 1 and not any(channel.offset_samples for channel in main.channels):
        return main
    return _lay_out(used, warnings, main)


def _overlap(group: Group, other: Group) -> bool:
    """Whether both measured one lead at one time, so that they cannot share an axis."""
    if not {channel.lead for channel in group.channels} & {channel.lead for channel in other.channels}:
        return False
    return group.offset_s < other.offset_s + other.duration_s and other.offset_s < group.offset_s + group.duration_s


def _lay_out(used: list[Group], warnings: list[str], main: Group) -> Group:
    rate = main.sampling_hz
    places = [
        (group, row, channel, round(group.offset_s * rate) + channel.offset_samples)
        for group in used
        for row, channel in enumerate(group.channels)
    ]
    first = min(start for *_, start in places)
    length = max(start + group.digital.shape[1] for group, _, _, start in places) - first
    leads = list(dict.fromkeys(channel.lead for _, _, channel, _ in places))
    measured = sum(group.digital.shape[1] for group, *_ in places)
    steps = {channel.lead: (channel.uv_per_lsb, channel.baseline) for _, _, channel, _ in places}
    differs = any(steps[channel.lead] != (channel.uv_per_lsb, channel.baseline) for _, _, channel, _ in places)
    if differs or len(leads) > MAX_LEADS or length * len(leads) > MAX_SPARSENESS * measured:
        warnings.append("the multiplex groups' times or scales contradict one another; only the main group was read")
        return main
    channels = [next(channel for _, _, channel, _ in places if channel.lead == lead) for lead in leads]
    dtype = np.result_type(*(group.digital.dtype for group in used))
    digital = np.zeros((len(leads), length), dtype)
    digital += np.array([round(channel.baseline) for channel in channels], dtype)[:, None]
    covered = np.zeros((len(leads), length), bool)
    for group, row, channel, start in places:
        window = slice(start - first, start - first + group.digital.shape[1])
        digital[leads.index(channel.lead), window] = group.digital[row]
        covered[leads.index(channel.lead), window] = True
    gaps: list[Gap] = []
    for place, lead in enumerate(leads):
        edges = np.flatnonzero(np.diff(np.concatenate([[True], covered[place], [True]]).astype(np.int8)))
        gaps += [Gap(int(a), int(b), (lead,)) for a, b in edges.reshape(-1, 2)]
    return Group(channels, digital, rate, first / rate, main.label, main.derived, tuple(gaps))
