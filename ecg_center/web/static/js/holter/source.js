// Where does the desk get any second of a fortnight from? Samples come in blocks that are kept, overviews and trends by
// the width of the picture, beats by the block; what a physician changes makes only beats, findings and trends old.

import { ask, Refusal } from "../ask.js";
import { t } from "../texts.js";
import { decode, median, RecordingError } from "../viewer/data.js";

/** @typedef {import("../viewer/data.js").Recording} Recording */
/** @typedef {import("../viewer/data.js").Header} Header */
/** @typedef {Header & {recording_id: string}} DayHeader */

/**
 * @typedef {object} Beat
 * @property {number} sample
 * @property {number} at_s
 * @property {string} label
 * @property {number} template
 * @property {number} confidence percent
 */

/**
 * @typedef {object} Overview
 * @property {number} columns
 * @property {Float32Array} low microvolts, NaN where nothing was recorded
 * @property {Float32Array} high
 */

/**
 * @typedef {object} Trend
 * @property {number} start_s
 * @property {number} step_s
 * @property {(number | null)[]} mean_bpm
 * @property {(number | null)[]} low_bpm
 * @property {(number | null)[]} high_bpm
 * @property {number[]} v
 * @property {number[]} s
 */

export const BLOCK_S = 30;
const BEATS_S = 600;
const KEPT_BLOCKS = 80; // of three leads at 250 Hz, 90 kB each as numbers with a point

/**
 * Remembers what was asked for lately. A failure is not remembered.
 * @template V
 */
export class Kept {
  /** @type {Map<number | string, Promise<V>>} */ #kept = new Map();
  #limit;

  /** @param {number} limit */
  constructor(limit) {
    this.#limit = limit;
  }

  /** @param {number | string} key @param {() => Promise<V>} make @returns {Promise<V>} */
  get(key, make) {
    const found = this.#kept.get(key) ?? make();
    this.#kept.delete(key);
    this.#kept.set(key, found);
    found.catch(() => this.#kept.delete(key));
    if (this.#kept.size > this.#limit) this.#kept.delete(this.#kept.keys().next().value ?? "");
    return found;
  }

  clear() {
    this.#kept.clear();
  }
}

/**
 * The part of whole blocks that lies between two samples; `first` is the sample at which the blocks begin.
 * @param {Recording[]} blocks
 * @param {number} first
 * @param {number} from
 * @param {number} to
 * @returns {Recording}
 */
export function joined(blocks, first, from, to) {
  const [{ sampling_hz }] = blocks;
  const leads = blocks[0].leads.map((lead, row) => {
    const uv = new Float32Array(to - from);
    let at = first;
    for (const block of blocks) {
      const a = Math.max(from, at);
      const b = Math.min(to, at + block.n_samples);
      if (b > a) uv.set(block.leads[row].uv.subarray(a - at, b - at), a - from);
      at += block.n_samples;
    }
    return { ...lead, uv, centre_uv: median(uv), flat: blocks.every((block) => block.leads[row].flat) };
  });
  return { ...blocks[0], leads, n_samples: to - from, duration_s: (to - from) / sampling_hz };
}

/**
 * Pairs of int16 as microvolts.
 * @param {ArrayBuffer} bytes
 * @param {{uv_per_lsb: number, baseline: number}} lead
 * @param {number} columns
 * @returns {Overview}
 */
export function pairsOf(bytes, lead, columns) {
  if (bytes.byteLength !== columns * 4) {
    throw new RecordingError(
      t("%(got)s of %(expected)s bytes of the recording arrived. Nothing is drawn; try again.", {
        got: bytes.byteLength,
        expected: columns * 4,
      }),
    );
  }
  const view = new DataView(bytes);
  const low = new Float32Array(columns);
  const high = new Float32Array(columns);
  for (let i = 0; i < columns; i++) {
    const a = view.getInt16(4 * i, true);
    const b = view.getInt16(4 * i + 2, true);
    low[i] = a > b ? NaN : (a - lead.baseline) * lead.uv_per_lsb;
    high[i] = a > b ? NaN : (b - lead.baseline) * lead.uv_per_lsb;
  }
  return { columns, low, high };
}

export class DaySource {
  /** @type {DayHeader} */ header;
  /** Whether the machine's own result is looked at. */ machine = false;
  #address;
  /** @type {Kept<Recording>} */ #blocks = new Kept(KEPT_BLOCKS);
  /** @type {Kept<Beat[]>} */ #beats = new Kept(KEPT_BLOCKS);
  /** @type {Kept<Overview>} */ #overviews = new Kept(KEPT_BLOCKS);

  /** @param {string} address `/api/recordings/{id}` @param {DayHeader} header */
  constructor(address, header) {
    this.#address = address;
    this.header = header;
  }

  /** @param {string} address @returns {Promise<DaySource>} */
  static async open(address) {
    return new DaySource(address, await ask(`${address}/day`));
  }

  get hz() {
    return this.header.sampling_hz;
  }

  get duration_s() {
    return this.header.n_samples / this.hz;
  }

  /** @param {string} path @returns {Promise<ArrayBuffer>} */
  async #bytes(path) {
    let response;
    try {
      response = await fetch(`${this.#address}/${path}`, { credentials: "same-origin" });
    } catch {
      throw new RecordingError(t("The recording did not arrive whole. Nothing is drawn; check the network and try again."));
    }
    if (!response.ok) {
      throw new RecordingError(t("The centre could not give the recording (%(status)s). Try again.", { status: response.status }));
    }
    return response.arrayBuffer();
  }

  /** @param {number} number @returns {Promise<Recording>} */
  #block(number) {
    return this.#blocks.get(number, async () => {
      const size = Math.round(BLOCK_S * this.hz);
      const start = number * size;
      const stop = Math.min(this.header.n_samples, start + size);
      const bytes = await this.#bytes(`stretch.i16?start=${start}&stop=${stop}`);
      return decode({ ...this.header, version: 1, n_samples: stop - start }, bytes);
    });
  }

  /**
   * The recording between two moments, cut to where there is one.
   * @param {number} from_s @param {number} to_s
   * @returns {Promise<Recording>}
   */
  async samples(from_s, to_s) {
    const size = Math.round(BLOCK_S * this.hz);
    const from = Math.max(0, Math.min(this.header.n_samples - 2, Math.floor(from_s * this.hz)));
    const to = Math.max(from + 2, Math.min(this.header.n_samples, Math.ceil(to_s * this.hz)));
    const first = Math.floor(from / size);
    const last = Math.floor((to - 1) / size);
    const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const blocks = await Promise.all(numbers.map((number) => this.#block(number)));
    return joined(blocks, first * size, from, to);
  }

  /** Have the blocks about a moment at hand before they are looked at. @param {number} from_s @param {number} to_s */
  prefetch(from_s, to_s) {
    const last = Math.floor((this.header.n_samples - 1) / Math.round(BLOCK_S * this.hz));
    for (const s of [from_s - BLOCK_S, to_s, to_s + BLOCK_S]) {
      const number = Math.floor(s / BLOCK_S);
      if (number >= 0 && number <= last) this.#block(number).catch(() => {}); // it will be said when it is looked at
    }
  }

  /**
   * Lowest and highest of each column of one lead.
   * @param {number} from_s @param {number} to_s @param {number} columns @param {number} lead
   * @returns {Promise<Overview>}
   */
  overview(from_s, to_s, columns, lead) {
    const start = Math.max(0, Math.round(from_s * this.hz));
    const stop = Math.min(this.header.n_samples, Math.round(to_s * this.hz));
    const n = Math.max(1, Math.min(columns, stop - start));
    return this.#overviews.get(`${start}-${stop}-${n}-${lead}`, async () => {
      const bytes = await this.#bytes(`overview.i16?start=${start}&stop=${stop}&columns=${n}&lead=${lead}`);
      return pairsOf(bytes, this.header.leads[lead], n);
    });
  }

  /**
   * The beats between two moments.
   * @param {number} from_s @param {number} to_s
   * @returns {Promise<Beat[]>}
   */
  async beats(from_s, to_s) {
    const first = Math.max(0, Math.floor(from_s / BEATS_S));
    const last = Math.max(first, Math.floor(Math.min(to_s, this.duration_s) / BEATS_S));
    const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const blocks = await Promise.all(numbers.map((number) => this.#beatBlock(number)));
    return blocks.flat().filter((beat) => beat.at_s >= from_s && beat.at_s < to_s);
  }

  /** @param {number} number @returns {Promise<Beat[]>} */
  #beatBlock(number) {
    return this.#beats.get(number, async () => {
      const start = Math.round(number * BEATS_S * this.hz);
      const stop = Math.round((number + 1) * BEATS_S * this.hz);
      const said = await ask(`${this.#address}/beats?start=${start}&stop=${stop}${this.#whose("&")}`);
      return said.sample.map((/** @type {number} */ sample, /** @type {number} */ i) => ({
        sample,
        at_s: sample / this.hz,
        label: said.label[i],
        template: said.template[i],
        confidence: said.confidence[i],
      }));
    });
  }

  /** @param {string} before */
  #whose(before) {
    return this.machine ? `${before}machine=true` : "";
  }

  /** What the findings say and how many edits they hold. */
  findings() {
    return ask(`${this.#address}/findings${this.#whose("?")}`);
  }

  /** @param {number} columns @returns {Promise<Trend>} */
  trend(columns) {
    return ask(`${this.#address}/trend?start=0&stop=${this.header.n_samples}&columns=${columns}${this.#whose("&")}`);
  }

  /** The list of edits. */
  edits() {
    return ask(`${this.#address}/edits`);
  }

  /** @param {{position: number, edit: object, why?: string}} form */
  addEdit(form) {
    return ask(`${this.#address}/edits`, form);
  }

  /** What a physician changed has made the beats old. */
  forgetBeats() {
    this.#beats.clear();
  }
}

/** What an error says to the person; one of ours is thrown on. @param {unknown} error */
export function sentenceOf(error) {
  if (error instanceof RecordingError || error instanceof Refusal) return error.message;
  throw error;
}
