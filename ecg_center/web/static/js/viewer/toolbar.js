// Which controls stand above the paper? Every one shows its own state, so that nobody reads 5 mm/mV as 10.

import { h } from "../dom.js";
import { t } from "../texts.js";
import { AS_RECORDED, isAsRecorded } from "./filters.js";
import { GAINS, SPEEDS } from "./projection.js";
import { showHelp } from "./tools.js";

/** @typedef {import("./viewer.js").EcgViewer} EcgViewer */
/** @typedef {import("./filters.js").FilterSet} FilterSet */

/**
 * One row of buttons of which one is on.
 * @template V
 * @param {string} label
 * @param {[V, string][]} choices
 * @param {(value: V) => void} choose
 */
function segments(label, choices, choose) {
  const buttons = choices.map(([value, text]) => {
    const button = h("button", { type: "button", onclick: () => choose(value) }, text);
    return { value, button };
  });
  const element = h(
    "div",
    { class: "ecg-group" },
    h("span", { class: "ecg-group-name", "aria-hidden": "true" }, label),
    h("div", { class: "segments", role: "group", "aria-label": label }, ...buttons.map(({ button }) => button)),
  );
  const show = (/** @type {V} */ now) => {
    for (const { value, button } of buttons) button.setAttribute("aria-pressed", String(value === now));
  };
  return { element, show };
}

/** @param {string} text @param {string} title @param {() => void} press */
function tool(text, title, press) {
  return h("button", { type: "button", class: "button small", title, onclick: press }, text);
}

/** The page's `?` key presses it too, wherever the focus is. */
function helpButton() {
  const button = tool("?", t("Keys of the ECG"), showHelp);
  button.dataset.key = "?";
  return button;
}

/**
 * On a phone the bar is one line; this opens the rest. What is set stands below the paper at all times.
 * @param {() => HTMLElement} bar
 */
function moreButton(bar) {
  const button = h(
    "button",
    {
      type: "button",
      class: "button small ecg-more",
      "aria-expanded": "false",
      onclick: () => {
        const open = bar().toggleAttribute("data-open");
        button.setAttribute("aria-expanded", String(open));
      },
    },
    t("More"),
  );
  return button;
}

/** What is on, in words. @param {FilterSet} set */
export function filterWords(set) {
  if (isAsRecorded(set)) return t("as recorded, no display filter");
  const on = [];
  if (set.highpass_hz) on.push(t("baseline %(hz)s Hz", { hz: set.highpass_hz }));
  if (set.notch_hz) on.push(t("mains %(hz)s Hz", { hz: set.notch_hz }));
  if (set.lowpass_hz) on.push(t("low-pass %(hz)s Hz", { hz: set.lowpass_hz }));
  return t("display filter: %(filters)s", { filters: on.join(" + ") });
}

/** @param {EcgViewer} viewer */
function filterMenu(viewer) {
  const change = (/** @type {Partial<FilterSet>} */ part) => viewer.setFilters({ ...viewer.filters, ...part });
  const rows = {
    highpass_hz: segments(
      t("Baseline"),
      /** @type {[0 | 0.05 | 0.5, string][]} */ ([[0, t("off")], [0.05, "0.05 Hz"], [0.5, "0.5 Hz"]]),
      (highpass_hz) => change({ highpass_hz }),
    ),
    notch_hz: segments(
      t("Mains"),
      /** @type {[0 | 50, string][]} */ ([[0, t("off")], [50, "50 Hz"]]),
      (notch_hz) => change({ notch_hz }),
    ),
    lowpass_hz: segments(
      t("Low-pass"),
      /** @type {[0 | 35 | 40, string][]} */ ([[0, t("off")], [35, "35 Hz"], [40, "40 Hz"]]),
      (lowpass_hz) => change({ lowpass_hz }),
    ),
  };
  const summary = h("summary", { class: "button small" }, "");
  const element = h(
    "details",
    { class: "menu ecg-filters" },
    summary,
    h(
      "div",
      {},
      h("p", { class: "quiet small" }, t("Only the picture changes; the recording stays as it is.")),
      ...Object.values(rows).map((row) => row.element),
      h("button", { type: "button", class: "button small block", onclick: () => viewer.setFilters(AS_RECORDED) }, t("As recorded")),
    ),
  );
  const show = () => {
    rows.highpass_hz.show(viewer.filters.highpass_hz);
    rows.notch_hz.show(viewer.filters.notch_hz);
    rows.lowpass_hz.show(viewer.filters.lowpass_hz);
    const raw = isAsRecorded(viewer.filters);
    summary.textContent = raw ? t("Filters: off") : t("Filters: on");
    summary.setAttribute("data-on", String(!raw));
  };
  return { element, show };
}

/** @param {EcgViewer} viewer */
function rhythmChoice(viewer) {
  const select = h("select", {
    "aria-label": t("Rhythm strip"),
    title: t("Rhythm strip"),
    onchange: () => viewer.setRhythm(select.value.split(" ")),
  });
  for (const leads of ["II", "V1", "II V1", "II V1 V5"]) {
    select.append(h("option", { value: leads }, t("Rhythm %(leads)s", { leads: leads.replaceAll(" ", " + ") })));
  }
  return select;
}

/**
 * The bar above the paper.
 * @param {EcgViewer} viewer
 * @returns {{element: HTMLElement, show: () => void}}
 */
export function toolbar(viewer) {
  const layout = segments(
    t("Layout"),
    /** @type {[import("./projection.js").Layout, string][]} */ ([
      ["12x1", "12×1"],
      ["6x2", "6×2"],
      ["3x4", "3×4"],
      ["median", t("Median beat")],
    ]),
    (value) => viewer.setLayout(value),
  );
  const speed = segments(
    "mm/s",
    SPEEDS.map((value) => /** @type {[number, string]} */ ([value, String(value)])),
    (value) => viewer.setSpeed(value),
  );
  const gain = segments(
    "mm/mV",
    /** @type {[number | "auto", string][]} */ ([...GAINS.map((value) => [value, String(value)]), ["auto", t("auto")]]),
    (value) => viewer.setGain(value),
  );
  const filters = filterMenu(viewer);
  const rhythm = rhythmChoice(viewer);
  const callipers = tool(t("Callipers"), t("Callipers (C)"), () => viewer.toggleCallipers());
  const marks = tool(t("Marks"), t("Marks of the pre-read (M)"), () => viewer.toggleMarks());
  const size = tool("100%", t("Back to true size (0)"), () => viewer.setZoom(1));
  const more = moreButton(() => element);
  const element = h(
    "div",
    { class: "ecg-bar", role: "toolbar", "aria-label": t("ECG display") },
    layout.element,
    callipers,
    more,
    rhythm,
    speed.element,
    gain.element,
    filters.element,
    marks,
    h(
      "span",
      { class: "ecg-zoom" },
      tool("−", t("Smaller"), () => viewer.setZoom(viewer.zoom / 1.25)),
      size,
      tool("+", t("Larger"), () => viewer.setZoom(viewer.zoom * 1.25)),
    ),
    helpButton(),
  );
  const show = () => {
    layout.show(viewer.layout);
    speed.show(viewer.speed);
    gain.show(viewer.gainChoice);
    filters.show();
    rhythm.hidden = viewer.layout !== "3x4";
    rhythm.value = viewer.rhythm.join(" ");
    callipers.setAttribute("aria-pressed", String(viewer.callipersOn));
    marks.setAttribute("aria-pressed", String(viewer.marksOn));
    marks.hidden = !viewer.findings;
    size.textContent = `${Math.round(viewer.zoom * 100)}%`;
  };
  return { element, show };
}
