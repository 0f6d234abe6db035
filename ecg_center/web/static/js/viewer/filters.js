// What may a reader smooth away on the screen, and what does that do to the signal?
//
// Display only: the stored recording and the measurements are never touched, "as recorded" is the default, and the page
// says at all times which filters are on. Every filter runs forwards and backwards, so that it has no phase: a 0.5 Hz
// high-pass that shifts phase bends ST segments (AHA/ACC/HRS 2007 part I, doi:10.1016/j.jacc.2007.01.024).

/** @typedef {{highpass_hz: 0 | 0.05 | 0.5, notch_hz: 0 | 50, lowpass_hz: 0 | 35 | 40}} FilterSet */
/** @typedef {[number, number, number, number, number]} Biquad b0 b1 b2 a1 a2 */

/** @type {FilterSet} */
export const AS_RECORDED = { highpass_hz: 0, notch_hz: 0, lowpass_hz: 0 };
/** @type {FilterSet} */
export const USUAL = { highpass_hz: 0.5, notch_hz: 50, lowpass_hz: 40 };

/** Two passes of a second-order Butterworth meet at -3 dB when each is designed this much beyond the wanted corner. */
const TWO_PASS = (Math.SQRT2 - 1) ** 0.25;
const NOTCH_Q = 25; // 2 Hz wide: mains in China is held to 50 ± 0.2 Hz (GB/T 15945-2008)

/** @param {FilterSet} set */
export function isAsRecorded(set) {
  return !set.highpass_hz && !set.notch_hz && !set.lowpass_hz;
}

/**
 * Bristow-Johnson's cookbook biquads, by bilinear transform.
 * @param {"highpass" | "lowpass" | "notch"} kind
 * @param {number} corner_hz
 * @param {number} sampling_hz
 * @returns {Biquad}
 */
export function biquad(kind, corner_hz, sampling_hz) {
  const w = (2 * Math.PI * corner_hz) / sampling_hz;
  const q = kind === "notch" ? NOTCH_Q : Math.SQRT1_2;
  const cos = Math.cos(w);
  const alpha = Math.sin(w) / (2 * q);
  const a0 = 1 + alpha;
  if (kind === "notch") return [1 / a0, (-2 * cos) / a0, 1 / a0, (-2 * cos) / a0, (1 - alpha) / a0];
  const sign = kind === "highpass" ? 1 : -1;
  const edge = (1 + sign * cos) / 2 / a0;
  return [edge, -sign * 2 * edge, edge, (-2 * cos) / a0, (1 - alpha) / a0];
}

/**
 * One pass in place, from the steady state of the first sample.
 * @param {Float64Array} x
 * @param {Biquad} section
 */
function pass(x, [b0, b1, b2, a1, a2]) {
  const dc = (b0 + b1 + b2) / (1 + a1 + a2);
  const start = x[0];
  let z2 = b2 * start - a2 * dc * start;
  let z1 = b1 * start - a1 * dc * start + z2;
  for (let i = 0; i < x.length; i++) {
    const input = x[i];
    const output = b0 * input + z1;
    z1 = b1 * input - a1 * output + z2;
    z2 = b2 * input - a2 * output;
    x[i] = output;
  }
}

/**
 * Forwards and backwards over one unbroken stretch, its ends mirrored so that they do not ring.
 * @param {Float32Array} stretch
 * @param {Biquad[]} sections
 * @param {number} pad
 */
function bothWays(stretch, sections, pad) {
  const n = stretch.length;
  const edge = Math.min(pad, n - 1);
  const x = new Float64Array(n + 2 * edge);
  for (let i = 0; i < edge; i++) {
    x[i] = 2 * stretch[0] - stretch[edge - i];
    x[edge + n + i] = 2 * stretch[n - 1] - stretch[n - 2 - i];
  }
  x.set(stretch, edge);
  for (const section of sections) {
    pass(x, section);
    x.reverse();
    pass(x, section);
    x.reverse();
  }
  return x.subarray(edge, edge + n);
}

/**
 * The samples as this set shows them; gaps stay gaps, and no filter reaches across one.
 * @param {Float32Array} samples
 * @param {number} sampling_hz
 * @param {FilterSet} set
 * @returns {Float32Array}
 */
export function applyFilters(samples, sampling_hz, set) {
  const half = sampling_hz / 2;
  /** @type {Biquad[]} */
  const sections = [];
  if (set.highpass_hz) sections.push(biquad("highpass", set.highpass_hz * TWO_PASS, sampling_hz));
  if (set.notch_hz && set.notch_hz < half) sections.push(biquad("notch", set.notch_hz, sampling_hz));
  if (set.lowpass_hz && set.lowpass_hz / TWO_PASS < half) {
    sections.push(biquad("lowpass", set.lowpass_hz / TWO_PASS, sampling_hz));
  }
  if (!sections.length) return samples;
  const pad = Math.round(sampling_hz * (set.highpass_hz ? 1 / set.highpass_hz : 0.5));
  const out = new Float32Array(samples.length).fill(NaN);
  let start = 0;
  while (start < samples.length) {
    if (Number.isNaN(samples[start])) {
      start++;
      continue;
    }
    let end = start;
    while (end < samples.length && !Number.isNaN(samples[end])) end++;
    if (end - start > 2) out.set(bothWays(samples.subarray(start, end), sections, pad), start);
    start = end;
  }
  return out;
}

/**
 * The recording as these filters show it; itself where there are none.
 * @param {import("./data.js").Recording} recording
 * @param {FilterSet} set
 * @returns {import("./data.js").Recording}
 */
export function filteredRecording(recording, set) {
  if (isAsRecorded(set)) return recording;
  const leads = recording.leads.map((lead) => ({
    ...lead,
    uv: applyFilters(lead.uv, recording.sampling_hz, set),
    centre_uv: set.highpass_hz ? 0 : lead.centre_uv,
  }));
  return { ...recording, leads };
}
