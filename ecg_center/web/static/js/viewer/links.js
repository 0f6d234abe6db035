// How does the rest of a page reach the trace? Alt + V brings the keyboard to it; a finding's button frames what it
// rests on.

import { find } from "../dom.js";

/** @param {MouseEvent} event */
function frameEvidence(event) {
  const button = event.target instanceof Element ? event.target.closest("[data-evidence]") : null;
  const viewer = /** @type {import("./viewer.js").EcgViewer | null} */ (find("ecg-viewer"));
  if (button instanceof HTMLElement && viewer) viewer.highlight(JSON.parse(button.dataset.evidence ?? "[]"));
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
}
