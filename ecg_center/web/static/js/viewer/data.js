// What did the device record? Fetches one recording whole and refuses anything that is not exactly what was announced:
// a partial trace that looks whole is worse than none.

import { t } from "../texts.js";

export const FORMAT_VERSION = 1;
/** The least int16 marks a sample that the device did not record (WFDB format 16, wfdb-docs "signal(5)"). */
export const NO_SAMPLE = -32768;
export const MAX_SAMPLES = 4_000_000; // 12 leads of 5 minutes at 1 kHz; longer recordings have their own pages
const TIMEOUT_MS = 20_000;

/**
 * @typedef {object} Lead
 * @property {string} name
 * @property {boolean} derived computed from other leads, not measured
 * @property {Float32Array} uv microvolts, NaN where nothing was recorded
 * @property {number} centre_uv the median: a recorder's constant offset, taken off for drawing only
 * @property {boolean} flat not one sample differs from another: no signal
 */

/**
 * @typedef {object} Recording
 * @property {number} sampling_hz
 * @property {number} n_samples
 * @property {number} duration_s
 * @property {Lead[]} leads
 * @property {string[]} filters what the device had already done to the signal
 * @property {string} started_at
 * @property {boolean} demo
 */

/**
 * @typedef {object} Header
 * @property {number} [version]
 * @property {number} sampling_hz
 * @property {number} n_samples
 * @property {{name: string, uv_per_lsb: number, baseline: number, derived?: boolean}[]} leads
 * @property {string[]} [filters]
 * @property {string | null} [started_at]
 * @property {boolean} [demo]
 */

/** The recording cannot be shown; the message says why and what to do. */
export class RecordingError extends Error {}

/**
 * Check a header; the announced numbers decide everything that follows.
 * @param {Header} header
 */
export function checkHeader(header) {
  const version = header.version ?? FORMAT_VERSION;
  if (version !== FORMAT_VERSION) {
    throw new RecordingError(
      t("The recording comes in format version %(version)s, this page reads %(known)s. Reload the page.", {
        version: String(version),
        known: FORMAT_VERSION,
      }),
    );
  }
  const is_sound =
    Number.isFinite(header.sampling_hz) &&
    header.sampling_hz > 0 &&
    Number.isInteger(header.n_samples) &&
    header.n_samples > 1 &&
    Array.isArray(header.leads) &&
    header.leads.length > 0 &&
    header.leads.length * header.n_samples <= MAX_SAMPLES &&
    header.leads.every(
      (lead) =>
        typeof lead.name === "string" &&
        Number.isFinite(lead.uv_per_lsb) &&
        lead.uv_per_lsb !== 0 &&
        Number.isFinite(lead.baseline),
    );
  if (!is_sound) throw new RecordingError(t("The description of the recording is not usable. Tell the centre's support."));
}

/**
 * Little-endian int16, each lead's samples after those of the lead before.
 * @param {Header} header
 * @param {ArrayBuffer} bytes
 * @returns {Recording}
 */
export function decode(header, bytes) {
  checkHeader(header);
  const { n_samples, sampling_hz } = header;
  const expected = header.leads.length * n_samples * 2;
  if (bytes.byteLength !== expected) {
    throw new RecordingError(
      t("%(got)s of %(expected)s bytes of the recording arrived. Nothing is drawn; try again.", {
        got: bytes.byteLength,
        expected,
      }),
    );
  }
  const view = new DataView(bytes);
  const leads = header.leads.map((lead, index) => {
    const uv = new Float32Array(n_samples);
    const start = index * n_samples * 2;
    for (let i = 0; i < n_samples; i++) {
      const sample = view.getInt16(start + 2 * i, true);
      uv[i] = sample === NO_SAMPLE ? NaN : (sample - lead.baseline) * lead.uv_per_lsb;
    }
    return { name: lead.name, derived: lead.derived ?? false, uv, centre_uv: median(uv), flat: isFlat(uv) };
  });
  return {
    sampling_hz,
    n_samples,
    duration_s: n_samples / sampling_hz,
    leads,
    filters: header.filters ?? [],
    started_at: header.started_at ?? "",
    demo: header.demo ?? false,
  };
}

/**
 * The median of the samples that are there, 0 for none. A thousand of them, spread evenly, place a lane well enough.
 * @param {Float32Array} values
 */
export function median(values) {
  const step = Math.max(1, Math.floor(values.length / 1000));
  const some = [];
  for (let i = 0; i < values.length; i += step) if (!Number.isNaN(values[i])) some.push(values[i]);
  if (!some.length) return 0;
  some.sort((a, b) => a - b);
  return some[some.length >> 1];
}

/** Whether no sample differs from any other: a living electrode is never that quiet. @param {Float32Array} values */
export function isFlat(values) {
  let first = NaN;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (Number.isNaN(first)) first = value;
    else if (value !== first) return false;
  }
  return true;
}

/**
 * @param {string} address
 * @param {AbortSignal} signal
 */
async function get(address, signal) {
  const response = await fetch(address, { signal, credentials: "same-origin" });
  if (!response.ok) {
    throw new RecordingError(
      response.status === 404
        ? t("The recording is not there, or it belongs to another institution.")
        : t("The centre could not give the recording (%(status)s). Try again.", { status: response.status }),
    );
  }
  return response;
}

/**
 * Fetch one recording whole.
 * @param {string} address without the ending: `/api/recordings/{id}/waveform`
 * @param {AbortSignal} [cancelled]
 * @returns {Promise<Recording>}
 */
export async function load(address, cancelled) {
  const stop = new AbortController(); // by hand: AbortSignal.any is younger than many a clinic's browser
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  cancelled?.addEventListener("abort", () => stop.abort());
  try {
    const [header, bytes] = await Promise.all([
      get(`${address}.json`, stop.signal).then((response) => response.json()),
      get(`${address}.i16`, stop.signal).then((response) => response.arrayBuffer()),
    ]);
    return decode(header, bytes);
  } catch (error) {
    stop.abort();
    if (error instanceof RecordingError || cancelled?.aborted) throw error;
    throw new RecordingError(t("The recording did not arrive whole. Nothing is drawn; check the network and try again."));
  } finally {
    clearTimeout(timer);
  }
}
