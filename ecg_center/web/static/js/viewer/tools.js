// What does a reader measure with? Callipers in milliseconds, millivolts and beats a minute; and the screen's own scale,
// set once with a bank card held against it.

import { h } from "../dom.js";
import { t } from "../texts.js";
import { NOMINAL_PX_PER_MM } from "./projection.js";

/** @typedef {import("./projection.js").Lane} Lane */

/**
 * @typedef {object} Calliper
 * @property {Lane} lane
 * @property {number} from_s
 * @property {number} to_s
 * @property {number} from_uv
 * @property {number} to_uv
 * @property {string} text what it reads
 */

/**
 * What a calliper reads: `812 ms · 74/min · 0.54 mV`.
 * @param {number} from_s
 * @param {number} to_s
 * @param {number} from_uv
 * @param {number} to_uv
 */
export function reading(from_s, to_s, from_uv, to_uv) {
  const ms = Math.round(Math.abs(to_s - from_s) * 1000);
  const mv = (to_uv - from_uv) / 1000;
  const rate = ms >= 150 ? [t("%(rate)s/min", { rate: Math.round(60_000 / ms) })] : []; // above 400/min is no heart
  return [`${ms} ms`, ...rate, `${mv < 0 ? "−" : ""}${Math.abs(mv).toFixed(2)} mV`].join(" · ");
}

/**
 * A calliper on this lane between two points, kept within the lane's seconds.
 * @param {Lane} lane
 * @param {number} from_s
 * @param {number} to_s
 * @param {number} from_uv
 * @param {number} to_uv
 * @returns {Calliper}
 */
export function calliper(lane, from_s, to_s, from_uv, to_uv) {
  const within = (/** @type {number} */ s) => Math.min(lane.to_s, Math.max(lane.from_s, s));
  const [a, b] = [within(from_s), within(to_s)];
  return { lane, from_s: a, to_s: b, from_uv, to_uv, text: reading(a, b, from_uv, to_uv) };
}

// ------------------------------------------------------------------------------------------- the screen's scale

const CARD_WIDTH_MM = 85.6; // ISO/IEC 7810 ID-1: every bank card, the resident identity card too
const CARD_HEIGHT_MM = 53.98;
const KEY = "ecg.screen";

/** One setting a screen: a window dragged to another one is measured anew. */
function screenName() {
  return `${screen.width}x${screen.height}@${window.devicePixelRatio}`;
}

/** @returns {Record<string, number>} */
function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return {}; // storage switched off or damaged: the nominal scale holds
  }
}

/** CSS pixels a millimetre on this screen. @returns {{px_per_mm: number, calibrated: boolean}} */
export function screenScale() {
  const px_per_mm = kept()[screenName()];
  return px_per_mm > 1.5 && px_per_mm < 20
    ? { px_per_mm, calibrated: true }
    : { px_per_mm: NOMINAL_PX_PER_MM, calibrated: false };
}

/** @param {number | null} px_per_mm null forgets it */
function keepScale(px_per_mm) {
  const all = kept();
  if (px_per_mm === null) delete all[screenName()];
  else all[screenName()] = px_per_mm;
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // cannot be kept: it holds until the page is left
  }
}

/**
 * Ask the person to hold a card against the screen.
 * @param {() => void} changed
 */
export function askForScale(changed) {
  const card = h("div", { class: "ecg-card", "aria-hidden": "true" }, h("span", {}, "85.6 mm"));
  const slider = h("input", { type: "range", min: 2, max: 12, step: 0.01, id: "ecg-scale", "aria-describedby": "ecg-scale-help" });
  slider.value = String(screenScale().px_per_mm);
  const show = () => {
    card.style.width = `${CARD_WIDTH_MM * Number(slider.value)}px`;
    card.style.height = `${CARD_HEIGHT_MM * Number(slider.value)}px`;
  };
  slider.addEventListener("input", show);
  const end = (/** @type {number | null | undefined} */ value) => {
    if (value !== undefined) keepScale(value);
    dialog.close();
    changed();
  };
  const dialog = h(
    "dialog",
    { class: "dialog wide", "aria-labelledby": "ecg-scale-title", onclose: () => dialog.remove() },
    h("header", {}, h("h2", { id: "ecg-scale-title" }, t("True millimetres on this screen"))),
    h(
      "div",
      { class: "body" },
      h("p", { id: "ecg-scale-help" }, t("Hold a bank card or an identity card against the screen and move the slider until the frame is just as wide as the card.")),
      h("label", { for: "ecg-scale", class: "visually-hidden" }, t("Size of the frame")),
      slider,
      h("div", { class: "ecg-card-room" }, card),
    ),
    h(
      "footer",
      {},
      h("button", { class: "button ghost", type: "button", onclick: () => end(null) }, t("Back to nominal")),
      h("button", { class: "button", type: "button", onclick: () => end(undefined) }, t("Cancel")),
      h("button", { class: "button primary", type: "button", onclick: () => end(Number(slider.value)) }, t("Keep for this screen")),
    ),
  );
  document.body.append(dialog);
  show();
  dialog.showModal();
  slider.focus();
}

// ----------------------------------------------------------------------------------------------------- help

/** Show the keys. */
export function showHelp() {
  const rows = /** @type {[string, string][]} */ ([
    ["1 2 3", t("layout: 12 rows, 6 rows, 3 rows with rhythm strip")],
    ["4", t("median beat with its marks")],
    ["+ −", t("gain up and down")],
    ["[ ]", t("paper speed down and up")],
    ["A", t("gain by itself")],
    ["F", t("display filters on, and back to as recorded")],
    ["C", t("callipers on and off; with the mouse, drag at any time")],
    ["← → ↑ ↓", t("scroll; with callipers, move their second edge")],
    ["Shift + ← →", t("with callipers, move both edges")],
    ["R", t("repeat the callipers' interval along the row")],
    ["M", t("marks of the pre-read on and off")],
    ["Enter", t("one lead large, and back; a double click does the same")],
    ["0", t("back to true size")],
    ["Esc", t("put callipers and highlights away")],
  ]);
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": "ecg-help-title", onclose: () => dialog.remove() },
    h("header", {}, h("h2", { id: "ecg-help-title" }, t("Keys of the ECG"))),
    h(
      "div",
      { class: "body" },
      h(
        "dl",
        { class: "facts lines" },
        ...rows.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)]),
      ),
      h("p", { class: "quiet small" }, t("Filters change the picture only. Each lead is placed by its median, so that a recorder's constant offset does not push it off the paper; an asterisk marks a lead that was computed from others.")),
    ),
    h("footer", {}, h("button", { class: "button primary", type: "button", onclick: () => dialog.close() }, t("Close"))),
  );
  document.body.append(dialog);
  dialog.showModal();
}
