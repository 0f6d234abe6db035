// How does the typical beat of each lead look? The median over the beats that the pre-read found, each aligned on its
// R peak; ectopic beats and noise fall out of a median.

/** @typedef {import("./data.js").Recording} Recording */
/** @typedef {import("./data.js").Lead} Lead */

export const AFTER_R_S = 0.6; // reaches past the T wave down to 60/min; the next beat cuts it short above that
const BEHIND_U_S = 0.05;
const MAX_BEATS = 200;

/**
 * One beat a lead, starting `before_s` ahead of the R peak.
 * @param {Recording} recording
 * @param {number[]} beats_s R peaks
 * @param {number} before_s
 * @param {number} [after_s]
 * @returns {Recording | null} null where no beat lies wholly in the recording
 */
export function medianBeats(recording, beats_s, before_s, after_s = AFTER_R_S) {
  const { sampling_hz, n_samples } = recording;
  const before = Math.round(before_s * sampling_hz);
  const length = before + Math.round(after_s * sampling_hz);
  const starts = beats_s
    .map((beat) => Math.round(beat * sampling_hz) - before)
    .filter((start) => start >= 0 && start + length <= n_samples)
    .slice(0, MAX_BEATS);
  if (!starts.length) return null;
  const leads = recording.leads.map((lead) => {
    const uv = medianOf(lead.uv, starts, length);
    const level = uv.subarray(0, Math.max(1, Math.round(0.04 * sampling_hz)));
    return { ...lead, uv, centre_uv: mean(level) };
  });
  return { ...recording, leads, n_samples: length, duration_s: length / sampling_hz };
}

/**
 * How much is shown behind R: as far as a U wave reaches, where there is one.
 * @param {import("./viewer.js").Findings | null} findings
 */
export function afterR(findings) {
  const marks = findings?.median_beat_fiducials;
  const end = typeof marks?.u_off_s === "number" ? marks.u_off_s - marks.r_s + BEHIND_U_S : 0;
  return Math.max(AFTER_R_S, end);
}

/** @param {Float32Array} samples @param {number[]} starts @param {number} length */
function medianOf(samples, starts, length) {
  const out = new Float32Array(length);
  const column = new Float32Array(starts.length);
  for (let i = 0; i < length; i++) {
    for (let b = 0; b < starts.length; b++) column[b] = samples[starts[b] + i];
    column.sort(); // a typed array sorts by number, NaN last
    const half = starts.length >> 1;
    out[i] = starts.length % 2 ? column[half] : (column[half - 1] + column[half]) / 2;
  }
  return out;
}

/** @param {Float32Array} values */
function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/**
 * The onsets and offsets to mark on the median beat; an onset bears its wave's name.
 * @param {import("./viewer.js").Findings | null} findings
 * @returns {{at_s: number, text: string}[]}
 */
export function fiducialsOf(findings) {
  const marks = findings?.median_beat_fiducials;
  if (!marks) return [];
  const named = /** @type {[number | null | undefined, string][]} */ ([
    [marks.p_on_s, "P"],
    [marks.p_off_s, ""],
    [marks.qrs_on_s, "QRS"],
    [marks.qrs_off_s, ""],
    [marks.t_off_s, "T"],
    [marks.u_on_s, ""],
    [marks.u_peak_s, "U"],
    [marks.u_off_s, ""],
  ]);
  return named.flatMap(([at_s, text]) => (typeof at_s === "number" ? [{ at_s, text }] : []));
}
