// How does the rest of a page reach the trace? Alt + V brings the keyboard to it. What a statement rests on is framed
// while the pointer or the focus is on the statement, in the pre-read or in the report; its button keeps the frame.

import { find } from "../dom.js";
import { framesOf } from "./evidence.js";

/** @typedef {import("./viewer.js").EcgViewer} EcgViewer */

const viewerOf = () => /** @type {EcgViewer | null} */ (find("ecg-viewer"));

/**
 * The button with the evidence of the statement that this element belongs to.
 * @param {EventTarget | null} target
 * @returns {HTMLElement | null}
 */
function evidenceOf(target) {
  if (!(target instanceof Element)) return null;
  const row = target.closest("[data-code], .critical-row");
  const own = row ? find("[data-evidence]", row) : null;
  if (own || !(row instanceof HTMLElement) || !row.dataset.code) return own;
  return find(`.preread [data-code="${CSS.escape(row.dataset.code)}"] [data-evidence]`);
}

/** @param {HTMLElement} button */
const read = (button) => JSON.parse(button.dataset.evidence ?? "[]");

/** @type {HTMLElement | null} */
let previewed = null;
/** @type {EcgViewer["evidence"]} */
let kept = [];

/** Frame while looked at, and put back what was framed before. @param {HTMLElement | null} button */
function preview(button) {
  const viewer = viewerOf();
  if (!viewer?.recording || button === previewed) return;
  if (!previewed) kept = viewer.evidence;
  previewed = button;
  viewer.evidence = button ? framesOf(read(button), viewer.recording.duration_s) : kept;
  viewer.redraw();
}

/** @param {MouseEvent} event */
function frameEvidence(event) {
  const button = event.target instanceof Element ? event.target.closest("[data-evidence]") : null;
  const viewer = viewerOf();
  if (!(button instanceof HTMLElement) || !viewer) return;
  viewer.highlight(read(button));
  kept = viewer.evidence;
}

/** @param {KeyboardEvent} event */
function goToPaper(event) {
  const stage = event.altKey && event.code === "KeyV" ? find("ecg-viewer .ecg-stage") : null;
  if (!stage) return;
  event.preventDefault();
  stage.focus();
}

/** Listen for the page's links to the trace. */
export function linkPage() {
  document.addEventListener("click", frameEvidence);
  document.addEventListener("keydown", goToPaper);
  document.addEventListener("pointerover", (event) => preview(evidenceOf(event.target)));
  document.addEventListener("focusin", (event) => preview(evidenceOf(event.target)));
}
