// Which controls stand above the strip, and what does it say of itself below? The state is always in sight: how it is
// drawn, whose result it is, and whether figures are awaited.

import { h } from "../dom.js";
import { t, tn } from "../texts.js";
import { isAsRecorded } from "../viewer/filters.js";
import { filterWords } from "../viewer/toolbar.js";
import { RHYTHMS } from "./editing.js";
import { showDayHelp } from "./keys.js";
import { LABELS } from "./kinds.js";

/** @typedef {import("./desk.js").DayDesk} DayDesk */
/** @typedef {import("./desk.js").View} View */

/**
 * @param {DayDesk} desk
 * @returns {{element: HTMLElement, foot: HTMLElement, show: () => void}}
 */
export function dayBar(desk) {
  const views = segments(
    t("View"),
    /** @type {[View, string, string][]} */ ([
      ["strip", t("Strip"), "Esc"],
      ["disclosure", t("Full disclosure"), "D"],
      ["shapes", t("Shapes"), "T"],
      ["courses", t("Courses"), "G"],
      ["changes", t("Changes"), "H"],
    ]),
    (view) => desk.setView(view),
  );
  const lengths = segments(
    t("Length of the strip"),
    /** @type {[number | "true", string, string][]} */ ([
      ["true", "25 mm/s", "1"],
      [10, "10 s", "2"],
      [30, "30 s", "3"],
      [60, "1 min", "4"],
    ]),
    (seconds) => desk.setSeconds(seconds),
  );
  const names = h(
    "div",
    { class: "segments day-names", role: "group", "aria-label": t("Name the beats taken") },
    ...Object.keys(LABELS).map((label) =>
      h("button", { type: "button", class: `label-${label}`, title: LABELS[label](), onclick: () => void desk.name(label) }, label),
    ),
  );
  const whole = h("input", { type: "checkbox", id: "whole-shape" });
  names.addEventListener(
    "click",
    (event) => {
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      if (!whole.checked || !button) return;
      event.stopPropagation();
      void desk.nameShape(button.textContent ?? "");
    },
    true,
  );
  const remove = tool("✕", t("Not a beat (X)"), () => void desk.remove());
  const undo = tool(t("Undo"), t("Undo the last change (U)"), () => desk.undo());
  const print = tool(t("To the report"), t("Print this strip in the report (B)"), () => desk.print());
  const rhythm = h(
    "select",
    {
      "aria-label": t("Atrial rhythm of the framed stretch"),
      title: t("Atrial rhythm of the framed stretch"),
      onchange: () => {
        void desk.leads(/** @type {"sinus" | "af" | "flutter"} */ (rhythm.value));
        rhythm.value = "";
      },
    },
    h("option", { value: "" }, t("Rhythm")),
    ...Object.entries(RHYTHMS).map(([value, text]) => h("option", { value }, text())),
  );
  const filters = tool(t("Filters: off"), t("Display filters on, and back to as recorded (L)"), () => desk.toggleFilters());
  const time = h("input", { type: "text", class: "day-time", size: 9, "aria-label": t("Go to the time"), placeholder: "03:12", autocomplete: "off" });
  time.addEventListener("change", () => {
    const at_s = desk.clock.parse(time.value, 0, desk.source.duration_s);
    if (at_s === null) return void time.setAttribute("aria-invalid", "true");
    time.removeAttribute("aria-invalid");
    time.value = "";
    desk.events.leave();
    desk.setView("strip");
    void desk.centre(at_s);
  });
  const step = h(
    "span",
    { class: "day-steps" },
    tool("◀", t("Previous event (K)"), () => desk.events.step(-1, desk.strip.at_s)),
    tool("▶", t("Next event (J)"), () => desk.events.step(1, desk.strip.at_s)),
  );
  const help = tool("?", t("Keys of the day"), showDayHelp);
  help.dataset.key = "?";
  const of_strip = h("div", { class: "day-tools" }, lengths.element, names, h("label", { class: "small", for: "whole-shape" }, whole, t("whole shape")), remove, rhythm, undo, print);
  const element = h("div", { class: "ecg-bar day-bar" }, h("div", { class: "day-tools" }, step, views.element, time, filters, help), of_strip);
  const foot = h("div", { class: "ecg-state day-foot" });
  const show = () => {
    views.show(desk.view);
    lengths.show(desk.strip.seconds);
    of_strip.hidden = desk.view !== "strip";
    for (const control of [...names.querySelectorAll("button"), remove, rhythm, undo]) control.disabled = !desk.editable;
    print.hidden = !desk.host.hasAttribute("editable");
    filters.textContent = isAsRecorded(desk.strip.filters) ? t("Filters: off") : t("Filters: on");
    filters.setAttribute("aria-pressed", String(!isAsRecorded(desk.strip.filters)));
    foot.replaceChildren(...footWords(desk));
  };
  return { element, foot, show };
}

/** @param {DayDesk} desk @returns {Node[]} */
function footWords(desk) {
  const { strip, clock, source } = desk;
  const parts = [
    h("strong", {}, `${clock.at(strip.at_s)} – ${clock.at(strip.at_s + strip.visible_s)}`),
    h("span", {}, `${Math.round(strip.speed * 10) / 10} mm/s · ${strip.gain} mm/mV`),
    h("span", { class: isAsRecorded(strip.filters) ? "" : "ecg-filtered" }, filterWords(strip.filters)),
    h("span", {}, `${source.hz} Hz`),
  ];
  if (!clock.known) parts.push(h("span", {}, t("time since the start: the recorder's clock is not known")));
  const picked = strip.selected.size;
  if (picked) parts.push(h("strong", { class: "day-picked" }, tn("%(num)d beat taken", "%(num)d beats taken", picked)));
  if (source.machine) parts.push(h("strong", { class: "ecg-filtered" }, t("the machine's own result")));
  else if (desk.pending) parts.push(h("strong", { class: "day-pending", role: "status" }, t("figures are being renewed…")));
  return parts;
}

/**
 * @template V
 * @param {string} label @param {[V, string, string][]} choices value, text, key @param {(value: V) => void} choose
 */
function segments(label, choices, choose) {
  const buttons = choices.map(([value, text, key]) => ({
    value,
    button: h("button", { type: "button", title: `${text} (${key})`, onclick: () => choose(value) }, text),
  }));
  const element = h("div", { class: "segments", role: "group", "aria-label": label }, ...buttons.map(({ button }) => button));
  const show = (/** @type {V} */ now) => {
    for (const { value, button } of buttons) button.setAttribute("aria-pressed", String(value === now));
  };
  return { element, show };
}

/** @param {string} text @param {string} title @param {() => void} press */
function tool(text, title, press) {
  return h("button", { type: "button", class: "button small", title, onclick: press }, text);
}
