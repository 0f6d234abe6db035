// What is each kind of event called, how grave is it, and which beats does one mean by it?

import { t, tn } from "../texts.js";

/**
 * @typedef {object} HolterEvent the parts of contract/holter.py's Event that are shown
 * @property {string} kind
 * @property {number} start_s
 * @property {number} end_s
 * @property {number} beats
 * @property {number | null} rate_bpm
 * @property {string[]} leads
 * @property {number | null} value
 * @property {string} quantity
 * @property {string} text
 */

/** @type {Record<string, () => string>} The kinds in the order of the filter, the gravest first. */
export const KINDS = {
  vf: () => t("Ventricular fibrillation"),
  asystole: () => t("Asystole"),
  vt: () => t("Ventricular tachycardia"),
  v_run: () => t("Ventricular run"),
  idioventricular: () => t("Idioventricular rhythm"),
  r_on_t: () => t("R on T"),
  v_couplet: () => t("Ventricular couplet"),
  v_bigeminy: () => t("Ventricular bigeminy"),
  v_trigeminy: () => t("Ventricular trigeminy"),
  v_single: () => t("Single ventricular beat"),
  af: () => t("Atrial fibrillation"),
  flutter: () => t("Atrial flutter"),
  svt: () => t("Supraventricular tachycardia"),
  s_run: () => t("Supraventricular run"),
  s_couplet: () => t("Supraventricular couplet"),
  s_bigeminy: () => t("Supraventricular bigeminy"),
  s_trigeminy: () => t("Supraventricular trigeminy"),
  s_single: () => t("Single supraventricular beat"),
  pause: () => t("Pause"),
  av_block_3: () => t("Third-degree AV block"),
  av_block_2: () => t("Second-degree AV block"),
  dropped_beat: () => t("Dropped beat"),
  bradycardia: () => t("Bradycardia"),
  tachycardia: () => t("Tachycardia"),
  st_elevation: () => t("ST elevation"),
  st_depression: () => t("ST depression"),
  axis_shift: () => t("Shift of the QRS axis"),
  t_alternans: () => t("T-wave alternans"),
  long_qt: () => t("Long QT"),
  paced: () => t("Paced rhythm"),
  fastest: () => t("Fastest rate"),
  slowest: () => t("Slowest rate"),
  longest_rr: () => t("Longest RR"),
  diary: () => t("Diary"),
  noise: () => t("Noise"),
  lead_off: () => t("Lead off"),
};

const SAME_S = 0.05;
const DANGER = new Set(["vf", "asystole", "vt", "av_block_3", "r_on_t"]);
const WARN = new Set(["v_run", "svt", "af", "flutter", "pause", "st_elevation", "st_depression", "av_block_2", "long_qt"]);

/** @param {string} kind */
export function nameOf(kind) {
  return KINDS[kind]?.() ?? kind;
}

/** @param {string} kind @returns {"danger" | "warn" | "neutral"} */
export function toneOf(kind) {
  return DANGER.has(kind) ? "danger" : WARN.has(kind) ? "warn" : "neutral";
}

/**
 * The gravest first: what a critical value rests on, then by kind as the filter has them, then by time.
 * @param {HolterEvent[]} events @param {number[]} [critical_s] when the evidence of critical values begins
 */
export function byImportance(events, critical_s = []) {
  const order = Object.keys(KINDS);
  const tones = ["danger", "warn", "neutral"];
  /** @param {HolterEvent} event */
  const rank = ({ kind, start_s }) =>
    (critical_s.some((at_s) => Math.abs(at_s - start_s) < SAME_S) ? 0 : (1 + tones.indexOf(toneOf(kind))) * order.length) + (order.indexOf(kind) + 1) / (order.length + 1);
  return events
    .map((event) => ({ event, rank: rank(event) }))
    .sort((a, b) => a.rank - b.rank || a.event.start_s - b.event.start_s)
    .map(({ event }) => event);
}

/** @type {Record<string, () => string>} Types of AV block, as an event's text has them. */
const BLOCKS = {
  wenckebach: () => t("Wenckebach"),
  mobitz_2: () => t("Mobitz II"),
  two_to_one: () => t("2:1"),
  high_grade: () => t("high-grade"),
  second_degree: () => "",
  third_degree: () => "",
};

/** @type {Record<string, () => string>} What else an event's text may say; all other words are the patient's own. */
const REMARKS = {
  axis_shift: () => t("doubtful: the QRS axis shifted (posture)"),
  two_to_one: () => t("possible: fixed rate, 2:1"),
  torsades: () => t("Torsades de pointes"),
  polymorphic: () => t("polymorphic"),
  bidirectional: () => t("bidirectional"),
  wide: () => t("broad QRS: the usual beat"),
  v_flutter: () => t("ventricular flutter"),
  p_alone: () => t("P waves without QRS"),
};

/** Events that are one interval between two beats: its length says all. */
const INTERVALS = new Set(["pause", "longest_rr", "r_on_t"]);

/** What makes it grave, in few signs. @param {HolterEvent} event */
export function figureOf(event) {
  const parts = [];
  const is_interval = INTERVALS.has(event.kind);
  if (event.beats > 1 && !is_interval) parts.push(t("%(n)s beats", { n: event.beats }));
  if (event.rate_bpm && !is_interval) parts.push(t("%(rate)s/min", { rate: Math.round(event.rate_bpm) }));
  if (event.value !== null && event.value !== undefined) parts.push(valueOf(event));
  if (event.leads.length) parts.push(event.leads.join(" "));
  if (event.kind.startsWith("av_block")) parts.push(BLOCKS[event.text]?.() ?? event.text);
  else if (event.text) parts.push(event.kind === "diary" ? event.text : (REMARKS[event.text]?.() ?? event.text));
  return parts.filter(Boolean).join(" · ");
}

/** @param {HolterEvent} event */
function valueOf({ kind, quantity, value }) {
  const number = /** @type {number} */ (value);
  if (quantity === "before_t_summit_ms") {
    const n = Math.abs(Math.round(number));
    return number < 0 ? t("%(n)s ms after the top of T", { n }) : t("%(n)s ms before the top of T", { n });
  }
  if (quantity.endsWith("_ms") && (kind === "pause" || kind === "longest_rr")) return `${(number / 1000).toFixed(2)} s`;
  if (quantity === "blocked_p") return tn("%(num)d P without QRS", "%(num)d P without QRS", number);
  if (quantity.endsWith("_mv")) return `${number > 0 ? "+" : number < 0 ? "−" : ""}${Math.abs(number).toFixed(2)} mV`;
  if (quantity.endsWith("_uv")) return `${Math.round(number)} µV`;
  if (quantity.endsWith("_ms")) return `${Math.round(number)} ms`;
  if (quantity.endsWith("_bpm")) return t("%(rate)s/min", { rate: Math.round(number) });
  return String(Math.round(number * 100) / 100);
}

/** The label that the beats of such an event have; empty where it speaks of no early beats. @param {string} kind */
export function labelOf(kind) {
  if (kind.startsWith("v_") || kind === "vt" || kind === "r_on_t" || kind === "idioventricular") return "V";
  if (kind.startsWith("s_") || kind === "svt") return "S";
  return "";
}

/** @type {Record<string, () => string>} */
export const LABELS = {
  N: () => t("Normal"),
  S: () => t("Supraventricular"),
  V: () => t("Ventricular"),
  F: () => t("Fusion"),
  P: () => t("Paced"),
  Q: () => t("Unclassifiable"),
};
