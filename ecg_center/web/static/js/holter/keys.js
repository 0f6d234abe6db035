// Which key does what on the desk of a day? Anywhere on the page, as long as the person is not typing.

import { find, h, isTyping } from "../dom.js";
import { t } from "../texts.js";
import { LABELS } from "./kinds.js";

/** @typedef {import("./desk.js").DayDesk} DayDesk */

const FINE = 0.2; // of the strip's width, for an arrow key
const LEAP = 0.95;

/** @type {Record<string, (desk: DayDesk, event: KeyboardEvent) => void>} */
const KEYS = {
  j: (desk) => desk.events.step(1, desk.strip.at_s),
  k: (desk) => desk.events.step(-1, desk.strip.at_s),
  d: (desk) => desk.setView(desk.view === "disclosure" ? "strip" : "disclosure"),
  t: (desk) => desk.setView(desk.view === "shapes" ? "strip" : "shapes"),
  g: (desk) => desk.setView(desk.view === "courses" ? "strip" : "courses"),
  h: (desk) => desk.setView(desk.view === "changes" ? "strip" : "changes"),
  u: (desk) => desk.undo(),
  x: (desk) => void desk.remove(),
  delete: (desk) => void desk.remove(),
  e: (desk) => void desk.leaveOut(),
  a: (desk) => void desk.leads(),
  l: (desk) => desk.toggleFilters(),
  b: (desk) => desk.print(),
  z: (desk) => desk.askForTime(),
  "1": (desk) => desk.setSeconds("true"),
  "2": (desk) => desk.setSeconds(10),
  "3": (desk) => desk.setSeconds(30),
  "4": (desk) => desk.setSeconds(60),
  "+": (desk) => desk.stepGain(1),
  "=": (desk) => desk.stepGain(1),
  "-": (desk) => desk.stepGain(-1),
  arrowright: (desk, { shiftKey }) => void desk.goTo(desk.strip.at_s + desk.strip.visible_s * (shiftKey ? LEAP : FINE)),
  arrowleft: (desk, { shiftKey }) => void desk.goTo(desk.strip.at_s - desk.strip.visible_s * (shiftKey ? LEAP : FINE)),
  pagedown: (desk) => (desk.view === "disclosure" ? desk.disclosure.page(1) : void desk.goTo(desk.strip.at_s + desk.strip.visible_s * LEAP)),
  pageup: (desk) => (desk.view === "disclosure" ? desk.disclosure.page(-1) : void desk.goTo(desk.strip.at_s - desk.strip.visible_s * LEAP)),
  home: (desk) => void desk.goTo(0),
  end: (desk) => void desk.goTo(desk.source.duration_s),
  ",": (desk, { shiftKey }) => void desk.stepBeat(-1, shiftKey),
  ".": (desk, { shiftKey }) => void desk.stepBeat(1, shiftKey),
  "<": (desk) => void desk.stepBeat(-1, true),
  ">": (desk) => void desk.stepBeat(1, true),
  escape: (desk) => void desk.escape(),
};

/** Let the page's keys reach the desk. @param {DayDesk} desk */
export function listenToKeys(desk) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || find("dialog[open]") || desk.host.dataset.state !== "ready") return;
    const within_panel = event.target instanceof Element && event.target.closest(".panel") !== null;
    const key = event.key.toLowerCase();
    if (within_panel && (key.length > 1 || key === ",")) return; // arrows and pages scroll the panel
    const label = event.key.toUpperCase();
    if (label in LABELS) {
      if (event.repeat) return;
      void (event.shiftKey ? desk.nameShape(label) : desk.name(label));
    } else if (KEYS[key]) KEYS[key](desk, event);
    else return;
    event.preventDefault();
  });
}

/** Show the keys. */
export function showDayHelp() {
  const rows = /** @type {[string, string][]} */ ([
    ["J K", t("next and previous event of the list")],
    ["← →", t("through time; with Shift by a whole strip")],
    ["Home End", t("to the first and last seconds")],
    ["Z", t("go to a time of the clock")],
    ["1 2 3 4", t("strip true to millimetre, of 10 s, 30 s, 1 min")],
    ["+ −", t("gain up and down")],
    ["L", t("display filters on, and back to as recorded")],
    [", .", t("take the beat before or after; with Shift one more")],
    ["N S V F P Q", t("name the beats taken; with Shift all beats of their shape")],
    ["X", t("not a beat: take it out")],
    ["E", t("leave the framed stretch, or the strip, out of the figures")],
    ["A", t("fibrillation in the framed stretch, or none where there was said to be")],
    ["U", t("undo the last change")],
    ["B", t("print this strip in the report")],
    ["D", t("full disclosure, a minute a row")],
    ["T", t("shapes of QRS; a key names all beats of one")],
    ["G", t("courses of ST, QT and variability")],
    ["H", t("changes, and the machine's own result")],
    ["Esc", t("back to the strip; put callipers and frames away")],
  ]);
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": "day-help-title", onclose: () => dialog.remove() },
    h("header", {}, h("h2", { id: "day-help-title" }, t("Keys of the day"))),
    h("div", { class: "body" }, h("dl", { class: "facts lines" }, ...rows.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)]))),
    h("footer", {}, h("button", { class: "button primary", type: "button", onclick: () => dialog.close() }, t("Close"))),
  );
  document.body.append(dialog);
  dialog.showModal();
}
