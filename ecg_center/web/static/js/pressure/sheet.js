// How do the chart, the list of readings and the pre-read belong together, and how is a reading taken out?
//
// A change is added to a list at the centre; the worker answers with new figures, which arrive like any other news
// (hx-trigger="live:study-…" on the sheet), so what is shown is always what is stored.

import { ask, Refusal } from "../ask.js";
import { find } from "../dom.js";
import { toast } from "../toasts.js";
import { PressureChart } from "./chart.js";

/** @param {EventTarget | null} target */
const chartBeside = (target) => {
  const chart = target instanceof Element ? find("pressure-chart", target.closest(".pressure-sheet") ?? document) : null;
  return chart instanceof PressureChart ? chart : null;
};

/** The row of a reading comes into sight and is marked. @param {CustomEvent<number>} event */
function showRow(event) {
  const row = document.getElementById(`reading-${event.detail}`);
  for (const other of document.querySelectorAll("[data-reading][aria-selected]")) other.removeAttribute("aria-selected");
  row?.setAttribute("aria-selected", "true");
  row?.scrollIntoView({ block: "center" });
}

/** @param {Event} event */
function showReading(event) {
  const row = event.target instanceof Element ? event.target.closest("[data-reading]") : null;
  if (row instanceof HTMLElement) chartBeside(row)?.select(Number(row.dataset.reading));
}

/** @param {MouseEvent} event */
function frameEvidence(event) {
  const button = event.target instanceof Element ? event.target.closest("[data-evidence]") : null;
  const chart = chartBeside(document.body);
  if (button instanceof HTMLElement && chart) chart.highlight(JSON.parse(button.dataset.evidence ?? "[]"));
}

/** Changes go one after the other: a physician strikes X faster than the centre answers. */
let turn = Promise.resolve();
/** How many changes the centre has taken, by recording: a sheet that was asked for before the last of them says fewer. */
const taken = /** @type {Map<string, number>} */ (new Map());

/** @param {HTMLElement} sheet */
const changesOf = (sheet) => Math.max(Number(sheet.dataset.edits), taken.get(sheet.dataset.recording ?? "") ?? 0);

/** @param {MouseEvent} event */
function change(event) {
  const button = event.target instanceof Element ? event.target.closest("[data-pressure-edit]") : null;
  const sheet = button?.closest(".pressure-sheet");
  if (!(button instanceof HTMLButtonElement) || !(sheet instanceof HTMLElement) || button.disabled) return;
  const edit = JSON.parse(button.dataset.pressureEdit ?? "{}");
  const reason = find("[data-exclusion]", sheet);
  if (edit.action === "exclude" && reason instanceof HTMLSelectElement) edit.reason = reason.value;
  button.disabled = true;
  turn = turn.catch(() => undefined).then(() => send(sheet, edit, button));
}

/**
 * @param {HTMLElement} sheet
 * @param {object} edit
 * @param {HTMLButtonElement} button
 */
async function send(sheet, edit, button) {
  const recording = sheet.dataset.recording ?? "";
  const shown = find(".pressure-sheet");
  const position = Math.max(changesOf(sheet), shown ? changesOf(shown) : 0);
  try {
    await ask(`/api/recordings/${recording}/pressure-edits`, { position, edit });
    taken.set(recording, position + 1); // the next change need not wait for the new figures
    sheet.dataset.edits = String(position + 1);
  } catch (error) {
    button.disabled = false;
    if (!(error instanceof Refusal)) throw error;
    toast(error.message, "danger");
  }
}

/** The last change that holds; none while the sheet does not show all of them, or U would take back another one. */
function lastChange() {
  const sheet = find(".pressure-sheet");
  if (!sheet || sheet.querySelectorAll(".edits li").length < changesOf(sheet)) return null;
  return find(".edits li:has(button):not(:has(~ li button)) button", sheet);
}

/** Whether keys are letters here, and not orders. @param {EventTarget | null} target */
const isTyping = (target) => target instanceof Element && target.closest("input, textarea, select") !== null;

/**
 * Alt + V brings the keyboard to the chart, and from there back to the trace beside it.
 * @param {KeyboardEvent} event
 * @param {PressureChart} chart
 */
function goToChart(event, chart) {
  const viewer = find("ecg-viewer");
  const inside = document.activeElement === chart;
  if (viewer && (inside || !viewer.contains(document.activeElement))) return; // viewer/links.js goes to the trace
  event.preventDefault();
  event.stopPropagation();
  const day = find("holter-desk");
  if (inside && day) {
    chart.blur();
    day.scrollIntoView({ block: "nearest" });
  } else chart.focus();
}

/**
 * On the chart X takes the marked reading out or puts it back in, U takes the last change back.
 * @param {KeyboardEvent} event
 */
function press(event) {
  const chart = chartBeside(document.body);
  if (!chart || find("dialog[open]")) return;
  if (event.altKey && event.code === "KeyV") {
    goToChart(event, chart);
    return;
  }
  if (event.altKey || event.ctrlKey || event.metaKey || event.key.length !== 1 || isTyping(event.target)) return;
  const inside = event.target instanceof Element && event.target.closest(".pressure-sheet") !== null;
  // Beside a day of ECG a letter pressed among the pressures must not name, take out or undo a beat.
  if (inside && event.key !== "/" && find("holter-desk")) event.preventDefault();
  if (document.activeElement !== chart || event.repeat) return;
  const key = event.key.toLowerCase();
  if (key === "x" && chart.selected >= 0) find(`#edit-${chart.selected}`)?.click();
  else if (key === "u") lastChange()?.click();
}

/**
 * New figures take the sheet's place; where the physician was in it does not go with the old one.
 * @param {Event} event
 */
function keepPlace(event) {
  const { target, shouldSwap } = /** @type {CustomEvent<{target: Element, shouldSwap: boolean}>} */ (event).detail;
  const chart = chartBeside(target);
  if (!shouldSwap || !target.matches(".pressure-sheet") || !chart) return;
  const { selected } = chart;
  const focused = document.activeElement === chart;
  const scrolled = find(".reading-list", target)?.scrollTop ?? 0;
  const row = find("[data-reading][aria-selected]", target)?.id;
  const reason = find("[data-exclusion]", target);
  const chosen = reason instanceof HTMLSelectElement ? reason.selectedIndex : 0;
  const put = () => {
    const sheet = find(".pressure-sheet");
    const drawn = chartBeside(sheet);
    if (!sheet || !drawn) return;
    if (focused) drawn.focus({ preventScroll: true });
    drawn.select(selected);
    find(".reading-list", sheet)?.scrollTo({ top: scrolled, behavior: "instant" });
    if (row) document.getElementById(row)?.setAttribute("aria-selected", "true");
    const again = find("[data-exclusion]", sheet);
    if (again instanceof HTMLSelectElement) again.selectedIndex = chosen;
  };
  document.addEventListener("htmx:afterSwap", put, { once: true });
}

document.addEventListener("htmx:beforeSwap", keepPlace);
document.addEventListener("keydown", press, true);
document.addEventListener("reading", (event) => showRow(/** @type {CustomEvent<number>} */ (event)));
document.addEventListener("pointerover", showReading);
document.addEventListener("click", frameEvidence);
document.addEventListener("click", change);
