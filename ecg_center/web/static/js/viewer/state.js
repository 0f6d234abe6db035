// How is it drawn? The line below the paper says so at all times: nobody may take 5 mm/mV for 10, or a smoothed trace
// for the recorded one.

import { h } from "../dom.js";
import { t } from "../texts.js";
import { isAsRecorded } from "./filters.js";
import { filterWords } from "./toolbar.js";

/** @typedef {import("./viewer.js").EcgViewer} EcgViewer */

/** @param {EcgViewer} viewer */
function scaleWords(viewer) {
  if (viewer.zoom !== 1) return t("enlarged %(factor)s times", { factor: viewer.zoom.toFixed(2) });
  return viewer.screen.calibrated ? t("true millimetres") : t("nominal millimetres, screen not measured");
}

/**
 * The parts of the line.
 * @param {EcgViewer} viewer
 * @returns {Node[]}
 */
export function stateLine(viewer) {
  if (!viewer.recording) return [];
  const { sampling_hz, duration_s, filters, leads } = viewer.recording;
  const gain = viewer.gainChoice === "auto" ? t("%(gain)s mm/mV (auto)", { gain: viewer.gain }) : `${viewer.gain} mm/mV`;
  const derived = leads.filter((lead) => lead.derived).map((lead) => lead.name);
  const title = t("Set this screen's scale with a card");
  const parts = [
    h("strong", {}, `${viewer.speed} mm/s`),
    h("strong", {}, gain),
    h("strong", { class: isAsRecorded(viewer.filters) ? "" : "ecg-filtered" }, filterWords(viewer.filters)),
    h("button", { type: "button", class: "ecg-scale", title, onclick: () => viewer.askForScale() }, scaleWords(viewer)),
    h("span", {}, `${sampling_hz} Hz · ${duration_s.toFixed(1)} s`),
  ];
  if (filters.length) parts.push(h("span", {}, t("by the device: %(filters)s", { filters: filters.join(", ") })));
  if (derived.length) parts.push(h("span", {}, t("* computed: %(leads)s", { leads: derived.join(" ") })));
  return parts;
}
