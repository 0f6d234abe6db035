// What does every page start? Clock, time left, live regions, failures, brightness, keyboard, and the viewer where
// there is one.

import { learn } from "./clock.js";
import "./countdown.js";
import { find, isTyping } from "./dom.js";
import { listen } from "./live.js";
import { fadeNotes, listenForFailures } from "./toasts.js";

const ONE_YEAR_S = 365 * 24 * 3600;

function learnTheTime() {
  learn(Date.parse(find("meta[name=server-now]")?.getAttribute("content") ?? ""));
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const { xhr } = /** @type {CustomEvent<{xhr?: XMLHttpRequest}>} */ (event).detail;
    learn(Date.parse(xhr?.getResponseHeader("date") ?? ""), 1000);
  });
}

/** Brightness changes at once, without a request; the form's button does the same where scripts are off. */
function switchBrightness() {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-theme-choice]") : null;
    if (!(button instanceof HTMLElement)) return;
    event.preventDefault();
    const choice = button.dataset.themeChoice ?? "auto";
    document.documentElement.dataset.theme = choice;
    document.cookie = `theme=${choice}; path=/; max-age=${ONE_YEAR_S}; samesite=lax`;
    for (const other of document.querySelectorAll("[data-theme-choice]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    document.dispatchEvent(new CustomEvent("themechange"));
  });
}

/** A menu closes when the person goes elsewhere. */
function closeMenus() {
  const close = (/** @type {Event} */ event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!(event.target instanceof Node) || !menu.contains(event.target)) menu.removeAttribute("open");
    }
  };
  document.addEventListener("click", close);
  document.addEventListener("focusin", close);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = find("details.menu[open]");
    menu?.removeAttribute("open");
    if (menu) find("summary", menu)?.focus();
  });
}

/** `data-key="n"` on a button or link makes that key press it, unless the person is typing. */
function pressByKey() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || find("dialog[open]")) return;
    const with_control = event.ctrlKey || event.metaKey;
    const name = `${with_control ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${event.key.toLowerCase()}`;
    if (!with_control && !event.altKey && event.key.length === 1 && isTyping(event.target)) return;
    const pressed = find(`[data-key="${CSS.escape(name)}"]`);
    if (!pressed) return;
    event.preventDefault();
    pressed.focus();
    if (!isTyping(pressed)) pressed.click();
  });
}

/** `data-opens="id"` opens a dialog, `data-closes` closes the one it stands in. */
function openDialogs() {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const opener = event.target.closest("[data-opens]");
    if (opener instanceof HTMLElement) {
      const dialog = document.getElementById(opener.dataset.opens ?? "");
      if (dialog instanceof HTMLDialogElement) dialog.showModal();
    }
    if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
  });
}

/** `data-opens-now="id"` opens a dialog with the page. */
function openAtOnce() {
  const dialog = document.getElementById(find("[data-opens-now]")?.dataset.opensNow ?? "");
  if (dialog instanceof HTMLDialogElement) dialog.showModal();
}

/** `data-selects` on a field selects it whole on focus, to be copied. */
function selectOnFocus() {
  const select = (/** @type {Element | null} */ field) => {
    if (field instanceof HTMLInputElement && "selects" in field.dataset) field.select();
  };
  document.addEventListener("focusin", (event) => select(event.target instanceof Element ? event.target : null));
  select(document.activeElement);
}

learnTheTime();
switchBrightness();
closeMenus();
pressByKey();
openDialogs();
selectOnFocus();
listenForFailures();
fadeNotes();
if (document.body.dataset.live) listen(document.body.dataset.live);
openAtOnce();

// Each page loads what it has; the parts wait for each other by their own imports. What the report's form holds has to be
// there before the desk reads it.
if (find("strip-list")) await import("./holter/strips.js");
await Promise.all([
  find("ecg-viewer") && import("./viewer/viewer.js"),
  find("holter-desk") && import("./holter/element.js"),
  find("pressure-chart") && import("./pressure/sheet.js"),
  find("statement-picker") && import("./picker.js"),
  find("[data-desk], [data-holds]") && import("./desk.js"),
  find("[data-rows]") && import("./rows.js"),
]);
document.documentElement.dataset.ready = "";
