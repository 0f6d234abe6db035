// May this be signed already? A key held a moment too long, or pressed twice, must never sign the next study unread: the
// trace has to have stood on the screen for a moment.

import { find } from "./dom.js";
import { t } from "./texts.js";
import { toast } from "./toasts.js";

const SEEN_AFTER_MS = 800; // longer than a double press, shorter than anybody reads

/** When the trace stood there, or said why it cannot; a page without one is seen at once. */
let shown_ms = -Infinity;

const viewer = find("ecg-viewer, holter-desk, pressure-chart");
if (viewer) {
  shown_ms = Infinity;
  const look = () => {
    const stands = ["ready", "error"].includes(viewer.dataset.state ?? "");
    if (!stands) shown_ms = Infinity;
    else if (shown_ms === Infinity) shown_ms = performance.now();
  };
  new MutationObserver(look).observe(viewer, { attributes: true, attributeFilter: ["data-state"] });
  look();
}

/** Whether the trace has been seen; says so where it has not. */
export function isSeen() {
  if (performance.now() - shown_ms >= SEEN_AFTER_MS) return true;
  toast(t("Not signed: the recording has only just appeared."), "warn");
  return false;
}
