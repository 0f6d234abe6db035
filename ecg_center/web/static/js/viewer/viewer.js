// How does a physician read a resting ECG on a screen? The element
//
//   <ecg-viewer src="/api/recordings/{id}/waveform"><script type="application/json">{…findings…}</script></ecg-viewer>
//
// loads the recording whole, draws it true to millimetre and shows at all times how it is drawn. It keeps nothing but
// the layout between visits: speed, gain and filters start at 25 mm/s, 10 mm/mV, as recorded, every time.

import { h } from "../dom.js";
import { t } from "../texts.js";
import { afterR, medianBeats } from "./beats.js";
import { load, RecordingError } from "./data.js";
import { framesOf, laneOf } from "./evidence.js";
import { AS_RECORDED, filteredRecording, isAsRecorded, USUAL } from "./filters.js";
import { Gestures } from "./gestures.js";
import { keepLayout, keptLayout } from "./kept.js";
import { press } from "./keys.js";
import { linkPage } from "./links.js";
import { paint } from "./paint.js";
import {
  autoGain,
  GAINS,
  laneAt,
  layPage,
  mmToTime,
  mmToUv,
  NO_REACH,
  reachOf,
  SPEEDS,
  timeToMm,
} from "./projection.js";
import { stateLine } from "./state.js";
import { filterWords, toolbar } from "./toolbar.js";
import { askForScale, calliper, screenScale } from "./tools.js";

/** @typedef {import("./data.js").Recording} Recording */
/** @typedef {import("./projection.js").Layout} Layout */
/** @typedef {import("./projection.js").Page} Page */
/** @typedef {import("./projection.js").Lane} Lane */
/** @typedef {import("./tools.js").Calliper} Calliper */
/** @typedef {import("./draw.js").Evidence} Evidence */

/**
 * @typedef {object} Findings the parts of contract/findings.py that are drawn
 * @property {number[]} [beats_s]
 * @property {string} [beat_kinds] one letter a beat
 * @property {{r_s: number, p_on_s?: number|null, p_off_s?: number|null, qrs_on_s?: number|null, qrs_off_s?: number|null, t_off_s?: number|null, u_on_s?: number|null, u_peak_s?: number|null, u_off_s?: number|null} | null} [median_beat_fiducials]
 * @property {{leads?: {lead: string, verdict: string}[]}} [quality]
 */

const ZOOM_MIN = 0.35;
const ZOOM_MAX = 5;
const CLOSE_UP = { speed: 50, gain: 20, zoom: 1.5 }; // one lead, or the median beat
const DEFAULT_BEFORE_R_S = 0.35;

export class EcgViewer extends HTMLElement {
  /** @type {Layout} */ layout = "12x1";
  speed = 25;
  /** @type {number | "auto"} */ gainChoice = 10;
  gain = 10;
  zoom = 1;
  filters = AS_RECORDED;
  rhythm = ["II"];
  callipersOn = false;
  march = false;
  marksOn = true;
  /** @type {Findings | null} */ findings = null;
  /** @type {Recording | null} */ recording = null;
  /** @type {Recording | null} */ shown = null;
  /** @type {Page | null} */ page = null;
  /** @type {Calliper | null} */ calliper = null;
  /** @type {Evidence[]} */ evidence = [];
  /** Milliseconds of the last draw, for the bench. */
  drawTook = 0;

  #single = "";
  #before = { speed: 25, gain: /** @type {number | "auto"} */ (10), zoom: 1, left: 0, top: 0 };
  screen = screenScale();
  #frame = 0;
  #built = false;
  /** @type {AbortController | null} */ #loading = null;
  /** @type {ResizeObserver | null} */ #resizing = null;
  #canvas = h("canvas", { class: "ecg-canvas", "aria-hidden": "true" });
  #extent = h("div", { class: "ecg-extent", "aria-hidden": "true" });
  #stage = h("div", { class: "ecg-stage", tabindex: 0, role: "application", "aria-describedby": "ecg-state" });
  #state = h("div", { class: "ecg-state", id: "ecg-state" });
  #spoken = h("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
  #message = h("div", { class: "ecg-message", role: "status" });
  #bar = toolbar(this);
  #singleBar = h("div", { class: "ecg-single", hidden: true });
  #themed = window.matchMedia("(prefers-color-scheme: dark)");
  #redraw = () => this.redraw();

  connectedCallback() {
    if (!this.#built) this.#build();
    this.#resizing = new ResizeObserver(() => this.relayout());
    this.#resizing.observe(this.#stage);
    this.#themed.addEventListener("change", this.#redraw);
    document.addEventListener("themechange", this.#redraw);
    void this.load();
  }

  disconnectedCallback() {
    this.#loading?.abort();
    this.#resizing?.disconnect();
    this.#themed.removeEventListener("change", this.#redraw);
    document.removeEventListener("themechange", this.#redraw);
    cancelAnimationFrame(this.#frame);
  }

  #build() {
    this.#built = true;
    const script = this.querySelector("script[type='application/json']");
    if (script?.textContent?.trim()) this.findings = JSON.parse(script.textContent);
    this.layout = keptLayout();
    this.#extent.append(this.#canvas);
    this.#stage.append(this.#extent);
    this.#stage.setAttribute("aria-label", t("Electrocardiogram. Press ? for the keys."));
    this.#stage.addEventListener("scroll", this.#redraw, { passive: true });
    this.#stage.addEventListener("keydown", (event) => {
      if (press(this, event)) event.preventDefault();
    });
    new Gestures(this, this.#stage);
    this.append(this.#bar.element, this.#singleBar, this.#stage, this.#message, this.#state, this.#spoken);
    this.#bar.show();
  }

  // ---------------------------------------------------------------------------------------------- loading

  /** Fetch the recording and draw it, or say why not. */
  async load() {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.recording = this.shown = this.page = null;
    this.#stage.hidden = true;
    this.#message.hidden = false;
    this.#message.replaceChildren(t("Loading the recording…"));
    this.setAttribute("data-state", "loading");
    try {
      const recording = await load(this.getAttribute("src") ?? "", loading.signal);
      this.recording = recording;
      this.#stage.hidden = false;
      this.#message.hidden = true;
      this.prepare();
      this.setAttribute("data-state", "ready");
    } catch (error) {
      if (loading.signal.aborted) return;
      this.#fail(error);
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    this.recording = this.shown = this.page = null;
    this.#stage.hidden = true;
    this.#message.hidden = false;
    const why = error instanceof RecordingError ? error.message : t("The recording cannot be shown. Reload the page.");
    this.#message.replaceChildren(
      h("strong", { role: "alert" }, why),
      h("button", { type: "button", class: "button primary", onclick: () => void this.load() }, t("Try again")),
    );
    this.#state.textContent = "";
    this.setAttribute("data-state", "error");
    if (!(error instanceof RecordingError)) console.error(error);
  }

  /** Filter, take the median beat where it is asked for, lay out and draw. */
  prepare() {
    if (!this.recording) return;
    const filtered = filteredRecording(this.recording, this.filters);
    this.shown = this.isMedian
      ? medianBeats(filtered, this.findings?.beats_s ?? [], this.#beforeR(), afterR(this.findings))
      : filtered;
    if (!this.shown) {
      this.say(t("The pre-read found no beats in this recording; there is no median beat."));
      this.#standBack();
      this.layout = "12x1";
      this.shown = filtered;
    }
    this.relayout();
  }

  /** Whether the median beat is shown. */
  get isMedian() {
    return this.layout === "median" && !this.#single;
  }

  #beforeR() {
    return this.findings?.median_beat_fiducials?.r_s ?? DEFAULT_BEFORE_R_S;
  }

  // ----------------------------------------------------------------------------------------------- layout

  /** Device pixels a CSS pixel. */
  get dpr() {
    return window.devicePixelRatio || 1;
  }

  /** CSS pixels a millimetre of paper, as now drawn. */
  get pxPerMm() {
    return this.screen.px_per_mm * this.zoom;
  }

  /** Lay the page out anew for the room there is, and draw. */
  relayout() {
    if (!this.shown) return;
    const reaches = new Map(this.shown.leads.map((lead) => [lead.name, reachOf(lead.uv, lead.centre_uv)]));
    const lay = (/** @type {number} */ gain) => this.#lay(gain, reaches);
    if (this.gainChoice === "auto") {
      const { lanes, pitch_mm } = lay(GAINS[0]);
      const spans = lanes.map(({ name }) => reaches.get(name) ?? NO_REACH).map(({ up_uv, down_uv }) => up_uv + down_uv);
      this.gain = autoGain(spans, pitch_mm);
    } else {
      this.gain = this.gainChoice;
    }
    this.page = lay(this.gain);
    this.#extent.style.width = `${this.page.width_mm * this.pxPerMm}px`;
    this.#extent.style.height = `${Math.floor(this.page.height_mm * this.pxPerMm)}px`;
    this.calliper = this.calliper && this.#moved(this.calliper);
    this.redraw();
    this.#bar.show();
    this.#state.replaceChildren(...stateLine(this));
  }

  /** The calliper on the lane that now shows its lead and time. @param {Calliper} old */
  #moved(old) {
    const lane = this.page?.lanes.find(
      (l) => l.name === old.lane.name && l.from_s <= old.from_s && old.to_s <= l.to_s && !this.isMedian,
    );
    return lane ? { ...old, lane } : null;
  }

  /** @param {number} gain @param {Map<string, {up_uv: number, down_uv: number}>} reaches @returns {Page} */
  #lay(gain, reaches) {
    const shown = /** @type {Recording} */ (this.shown);
    return layPage({
      layout: this.#single ? "single" : this.layout,
      recorded: shown.leads.map((lead) => lead.name),
      rhythm: this.rhythm,
      single: this.#single,
      duration_s: shown.duration_s,
      speed: this.speed,
      room_mm: this.#stage.clientHeight / this.pxPerMm,
      reach: { gain, of: (name) => reaches.get(name) ?? NO_REACH },
    });
  }

  /** Measure the screen with a card, and draw by what came of it. */
  askForScale() {
    askForScale(() => {
      this.screen = screenScale();
      this.relayout();
    });
  }

  // ---------------------------------------------------------------------------------------------- drawing

  /** Draw with the next frame. */
  redraw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.drawNow());
  }

  /** Draw now. */
  drawNow() {
    if (this.shown && this.page) this.drawTook = paint(this, this.#stage, this.#canvas);
  }

  // ---------------------------------------------------------------------------------------------- settings

  /** @param {Layout} layout */
  setLayout(layout) {
    this.closeSingle();
    if (layout === this.layout) return;
    if (layout === "median") this.#closeUp();
    else if (this.layout === "median") this.#standBack();
    this.layout = layout;
    this.calliper = null;
    if (layout !== "median") keepLayout(layout);
    this.prepare();
  }

  /** @param {number} speed */
  setSpeed(speed) {
    const middle_s = (this.#stage.scrollLeft + this.#stage.clientWidth / 2) / this.pxPerMm / this.speed;
    this.speed = speed;
    this.relayout();
    this.#stage.scrollLeft = middle_s * speed * this.pxPerMm - this.#stage.clientWidth / 2;
  }

  /** @param {-1 | 1} step */
  stepSpeed(step) {
    this.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(this.speed) + step))]);
  }

  /** @param {number | "auto"} gain */
  setGain(gain) {
    this.gainChoice = gain;
    this.relayout();
  }

  /** @param {-1 | 1} step */
  stepGain(step) {
    this.setGain(GAINS[Math.min(GAINS.length - 1, Math.max(0, GAINS.indexOf(this.gain) + step))]);
  }

  /** @param {import("./filters.js").FilterSet} filters */
  setFilters(filters) {
    this.filters = filters;
    this.prepare();
    this.say(filterWords(filters));
  }

  toggleFilters() {
    this.setFilters(isAsRecorded(this.filters) ? USUAL : AS_RECORDED);
  }

  /** @param {string[]} leads */
  setRhythm(leads) {
    this.rhythm = leads;
    this.relayout();
  }

  toggleMarks() {
    this.marksOn = !this.marksOn;
    this.#bar.show();
    this.redraw();
  }

  toggleMarch() {
    this.march = !this.march;
    this.redraw();
  }

  /**
   * Enlarge about a point of the stage, its middle when none is given.
   * @param {number} zoom
   * @param {number} [x] CSS pixels from the stage's left
   * @param {number} [y]
   */
  setZoom(zoom, x = this.#stage.clientWidth / 2, y = this.#stage.clientHeight / 2) {
    const before = this.pxPerMm;
    const [x_mm, y_mm] = [(this.#stage.scrollLeft + x) / before, (this.#stage.scrollTop + y) / before];
    this.zoom = Math.abs(zoom - 1) < 0.02 ? 1 : Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, zoom));
    this.relayout();
    this.#stage.scrollLeft = x_mm * this.pxPerMm - x;
    this.#stage.scrollTop = y_mm * this.pxPerMm - y;
  }

  /** @param {number} dx CSS pixels @param {number} dy */
  scrollStage(dx, dy) {
    this.#stage.scrollBy(dx, dy);
  }

  // ---------------------------------------------------------------------------------------------- measuring

  /**
   * What stands at a point of the stage.
   * @param {number} x CSS pixels from the stage's left
   * @param {number} y
   * @param {Lane} [of] keep to this lane
   */
  at(x, y, of) {
    if (!this.page || !this.shown) return null;
    const x_mm = (x + this.#stage.scrollLeft) / this.pxPerMm;
    const y_mm = (y + this.#stage.scrollTop) / this.pxPerMm;
    const lane = of ?? laneAt(this.page, x_mm, y_mm);
    if (!lane) return null;
    const centre = lane.lead < 0 ? 0 : this.shown.leads[lane.lead].centre_uv;
    return { lane, time_s: mmToTime(lane, x_mm, this.speed), uv: mmToUv(lane, y_mm, this.gain) + centre };
  }

  /** @param {Calliper | null} made @param {boolean} [aloud] say what it reads */
  setCalliper(made, aloud = false) {
    this.calliper = made;
    if (made && aloud) this.say(`${made.lane.name}: ${made.text}`);
    this.redraw();
  }

  toggleCallipers() {
    this.callipersOn = !this.callipersOn;
    this.#stage.classList.toggle("measuring", this.callipersOn);
    if (!this.callipersOn) this.setCalliper(null);
    else if (!this.calliper) this.#placeCalliper();
    this.#bar.show();
    this.#stage.focus({ preventScroll: true });
  }

  /** A second's calliper in the middle, for those without a mouse. */
  #placeCalliper() {
    const middle = this.at(this.#stage.clientWidth / 2, this.#stage.clientHeight / 2);
    if (!middle || !this.shown) return;
    const { lane, time_s } = middle;
    const centre = lane.lead < 0 ? 0 : this.shown.leads[lane.lead].centre_uv;
    this.setCalliper(calliper(lane, time_s - 0.5, time_s + 0.5, centre, centre + 1000), true);
  }

  // ------------------------------------------------------------------------------------------- one lead large

  get isSingle() {
    return this.#single !== "";
  }

  /** Show one lead large. @param {string} name @param {number} [time_s] */
  openSingle(name, time_s) {
    if (!this.shown || this.isMedian) return;
    if (!this.#single) {
      this.#closeUp();
    }
    this.#single = name;
    this.calliper = null;
    this.#singleBar.hidden = false;
    this.#singleBar.replaceChildren(
      h("strong", {}, t("Lead %(lead)s", { lead: name })),
      h("span", { class: "quiet" }, t("↑ ↓ other lead")),
      h("button", { type: "button", class: "button small", onclick: () => this.closeSingle() }, t("Back to all leads (Esc)")),
    );
    this.relayout();
    const lane = this.page?.lanes[0];
    if (lane && time_s !== undefined) {
      this.#stage.scrollLeft = timeToMm(lane, time_s, this.speed) * this.pxPerMm - this.#stage.clientWidth / 2;
    }
    this.#stage.focus({ preventScroll: true });
    this.say(t("Lead %(lead)s", { lead: name }));
  }

  /** @param {-1 | 1} step */
  stepSingle(step) {
    const names = this.recording?.leads.map((lead) => lead.name) ?? [];
    const at = names.indexOf(this.#single);
    this.openSingle(names[(at + step + names.length) % names.length]);
  }

  closeSingle() {
    if (!this.#single) return;
    this.#single = "";
    this.#singleBar.hidden = true;
    this.#standBack();
    this.relayout();
    this.#stage.scrollTo(this.#before.left, this.#before.top);
  }

  #closeUp() {
    const { scrollLeft: left, scrollTop: top } = this.#stage;
    this.#before = { speed: this.speed, gain: this.gainChoice, zoom: this.zoom, left, top };
    this.speed = CLOSE_UP.speed;
    this.gainChoice = CLOSE_UP.gain;
    this.zoom = CLOSE_UP.zoom;
  }

  #standBack() {
    this.speed = this.#before.speed;
    this.gainChoice = this.#before.gain;
    this.zoom = this.#before.zoom;
  }

  // ---------------------------------------------------------------------------------------------- evidence

  /**
   * Show where a finding is seen: frame its leads and seconds, and bring the first into sight.
   * @param {{leads?: string[], start_s?: number | null, end_s?: number | null}[]} evidence
   */
  highlight(evidence) {
    this.closeSingle();
    this.evidence = framesOf(evidence, this.recording?.duration_s ?? 0);
    if (this.layout === "median" && this.evidence.length) this.setLayout("12x1");
    this.redraw();
    const first = this.evidence[0];
    const lane = first && this.page ? laneOf(this.page, first) : null;
    if (!lane) return;
    const x = timeToMm(lane, first.start_s, this.speed) * this.pxPerMm;
    this.#stage.scrollTo(x - this.#stage.clientWidth / 3, lane.top_mm * this.pxPerMm - this.#stage.clientHeight / 3);
  }

  /** Put callipers, highlights and the large lead away, one by one. @returns {boolean} whether there was any */
  escape() {
    if (this.calliper || this.callipersOn) {
      this.callipersOn = false;
      this.#stage.classList.remove("measuring");
      this.setCalliper(null);
      this.#bar.show();
    } else if (this.#single) this.closeSingle();
    else if (this.evidence.length) this.highlight([]);
    else return false;
    return true;
  }

  /** Tell a screen reader. @param {string} text */
  say(text) {
    this.#spoken.textContent = text;
  }
}

if (!customElements.get("ecg-viewer")) {
  customElements.define("ecg-viewer", EcgViewer);
  linkPage();
}
