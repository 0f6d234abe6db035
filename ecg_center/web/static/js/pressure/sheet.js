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

/** @param {MouseEvent} event */
async function change(event) {
  const button = event.target instanceof Element ? event.target.closest("[data-pressure-edit]") : null;
  const sheet = button?.closest(".pressure-sheet");
  if (!(button instanceof HTMLButtonElement) || !(sheet instanceof HTMLElement) || button.disabled) return;
  const edit = JSON.parse(button.dataset.pressureEdit ?? "{}");
  const reason = find("[data-exclusion]", sheet);
  if (edit.action === "exclude" && reason instanceof HTMLSelectElement) edit.reason = reason.value;
  button.disabled = true;
  try {
    const position = Number(sheet.dataset.edits);
    await ask(`/api/recordings/${sheet.dataset.recording}/pressure-edits`, { position, edit });
    sheet.dataset.edits = String(position + 1); // the next change need not wait for the new figures
  } catch (error) {
    button.disabled = false;
    if (!(error instanceof Refusal)) throw error;
    toast(error.message, "danger");
  }
}

/**
 * Alt + V brings the keyboard to the chart; there X takes the marked reading out, or puts it back in.
 * @param {KeyboardEvent} event
 */
function press(event) {
  const chart = chartBeside(document.body);
  if (!chart || find("dialog[open]")) return;
  if (event.altKey && event.code === "KeyV") {
    event.preventDefault();
    chart.focus();
  } else if (event.key.toLowerCase() === "x" && document.activeElement === chart && chart.selected >= 0) {
    find(`#edit-${chart.selected}`)?.click();
  }
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
document.addEventListener("keydown", press);
document.addEventListener("reading", (event) => showRow(/** @type {CustomEvent<number>} */ (event)));
document.addEventListener("pointerover", showReading);
document.addEventListener("click", frameEvidence);
document.addEventListener("click", (event) => void change(event));
