// How is a person told that something worked or failed, without losing what they were typing?

import { h } from "./dom.js";
import { t } from "./texts.js";

const SHOWN_MS = 6000;

/**
 * Show a message at the corner. A failure stays until it is closed: it may be the only word of it.
 * @param {string} text
 * @param {"info" | "ok" | "warn" | "danger"} [tone]
 */
export function toast(text, tone = "info") {
  const place = document.getElementById("toasts");
  if (!place) return;
  const close = h("button", { type: "button", "aria-label": t("Close"), onclick: () => item.remove() }, "×");
  const item = h("div", { class: `toast ${tone}`, role: tone === "danger" ? "alert" : null }, h("p", {}, text), close);
  place.append(item);
  if (tone !== "danger") window.setTimeout(() => item.remove(), SHOWN_MS);
}

/** Take away, after a while, what the page itself came with; and its name from the address, so that a reload is silent. */
export function fadeNotes() {
  for (const note of document.querySelectorAll("[data-fades]")) window.setTimeout(() => note.remove(), SHOWN_MS);
  const address = new URL(window.location.href);
  if (!address.searchParams.has("note")) return;
  address.searchParams.delete("note");
  window.history.replaceState(null, "", address);
}

/** @param {Event} event */
function detailOf(event) {
  return /** @type {{xhr?: XMLHttpRequest, value?: unknown}} */ (/** @type {CustomEvent} */ (event).detail ?? {});
}

/** What a refusal says: a problem's `detail`, else plain text, else its number. @param {XMLHttpRequest | undefined} xhr */
function refusal(xhr) {
  if (!xhr) return t("The centre does not answer. Nothing was changed; try again.");
  const type = xhr.getResponseHeader("content-type") ?? "";
  if (type.includes("json")) {
    try {
      const problem = JSON.parse(xhr.responseText);
      if (typeof problem.detail === "string") return problem.detail;
    } catch {
      // not JSON after all: the number has to do
    }
  }
  if (type.startsWith("text/plain") && xhr.responseText.length < 400) return xhr.responseText;
  return t("The centre refused this (%(status)s). Nothing was changed; reload the page and try again.", {
    status: xhr.status,
  });
}

/** Say every failure that htmx meets, and what the answer's HX-Trigger asks to be said. */
export function listenForFailures() {
  document.body.addEventListener("htmx:responseError", (event) => toast(refusal(detailOf(event).xhr), "danger"));
  document.body.addEventListener("htmx:sendError", () => toast(refusal(undefined), "danger"));
  document.body.addEventListener("htmx:timeout", () => toast(refusal(undefined), "danger"));
  document.body.addEventListener("toast", (event) => {
    const { text, tone } = /** @type {CustomEvent} */ (event).detail ?? {};
    if (text) toast(text, tone);
  });
}
