// How are ten seconds of a day read? On the resting viewer's own paper, with the class of each beat and the intervals
// above it. A click takes a beat, dragging measures, the wheel and a finger go through time.

import { h } from "../dom.js";
import { t } from "../texts.js";
import { draw } from "../viewer/draw.js";
import { filteredRecording } from "../viewer/filters.js";
import { laneAt, layPage, mmToTime, mmToUv, reachOf, timeToMm } from "../viewer/projection.js";
import { themeOf } from "../viewer/theme.js";
import { calliper, screenScale } from "../viewer/tools.js";
import { onceAFrame, paletteOf, sized } from "./canvas.js";

/** @typedef {import("./source.js").Beat} Beat */
/** @typedef {import("../viewer/data.js").Recording} Recording */
/** @typedef {import("../viewer/projection.js").Page} Page */

export const GUTTER_MM = 13; // what layPage leaves beside the seconds: the pulse's gutter and a margin
const MARGIN_S = 3; // beyond the strip, so that filters and the next beat's interval are right at its edges
const LANE_PX = 34;
const DRAG_PX = 4;
const NEAR_PX = 28;
const LETTER_PX = 15; // room that a letter needs
const INTERVAL_PX = 40;
const AROUND_S = 0.2;

export class Strip {
  /** Where the strip begins. */ at_s = 0;
  /** @type {number | "true"} Seconds that fill the width, or true to millimetre. */ seconds = "true";
  gain = 10;
  /** @type {import("../viewer/filters.js").FilterSet} */ filters;
  /** @type {Beat[]} */ beats = [];
  /** @type {Set<number>} samples of the selected beats */ selected = new Set();
  /** @type {{start_s: number, end_s: number, leads: string[]} | null} */ framed = null;
  /** @type {import("../viewer/tools.js").Calliper | null} */ #calliper = null;
  /** @type {Recording | null} what is on the paper, with a margin on both sides */ #recording = null;
  #recording_s = 0;
  /** @type {Page | null} */ #page = null;
  #asked = 0;
  #width = 0;
  #screen = screenScale();
  #letters = h("canvas", { class: "strip-letters", "aria-hidden": "true" });
  #canvas = h("canvas", { class: "strip-paper", "aria-hidden": "true" });
  #message = h("p", { class: "strip-message", role: "status", hidden: true });
  element = h("div", { class: "day-strip", tabindex: 0, role: "application" }, this.#letters, this.#canvas, this.#message);
  redraw = onceAFrame(() => this.#draw());
  #source;
  #on;

  /**
   * @param {import("./source.js").DaySource} source
   * @param {{moved: (at_s: number) => void, picked: (beats: Beat[], more: boolean) => void, drawn: () => void, failed: (error: unknown) => string}} on
   * @param {import("../viewer/filters.js").FilterSet} filters
   */
  constructor(source, on, filters) {
    this.#source = source;
    this.#on = on;
    this.filters = filters;
    this.element.setAttribute("aria-label", t("Strip of the recording. Arrow keys go through time; J and K through the events."));
    this.#listen();
  }

  get pxPerMm() {
    return this.#screen.px_per_mm;
  }

  /** Millimetres of paper beside the gutter; those of before while another view hides the strip. */
  get #room_mm() {
    this.#width = this.element.clientWidth || this.#width;
    return Math.max(20, this.#width / this.pxPerMm - GUTTER_MM);
  }

  /** Seconds of paper that the width holds. */
  get visible_s() {
    return this.seconds === "true" ? this.#room_mm / 25 : this.seconds;
  }

  /** Millimetres a second, as now drawn. */
  get speed() {
    return this.seconds === "true" ? 25 : this.#room_mm / this.seconds;
  }

  /** Show the strip that begins here. @param {number} at_s */
  async show(at_s) {
    const last_s = Math.max(0, this.#source.duration_s - this.visible_s);
    this.at_s = Math.min(last_s, Math.max(0, at_s));
    this.#calliper = null;
    await this.refresh();
  }

  /** Fetch what is to be seen and draw it; an answer that comes late for an older place is not drawn. */
  async refresh() {
    const asked = ++this.#asked;
    const from_s = Math.max(0, this.at_s - MARGIN_S);
    const to_s = Math.min(this.#source.duration_s, this.at_s + this.visible_s + MARGIN_S);
    try {
      const [recording, beats] = await Promise.all([this.#source.samples(from_s, to_s), this.#source.beats(from_s, to_s)]);
      if (asked !== this.#asked) return;
      this.#recording = filteredRecording(recording, this.filters);
      this.#recording_s = Math.floor(from_s * this.#source.hz) / this.#source.hz;
      this.beats = beats;
      this.#message.hidden = true;
      this.#draw();
      this.#on.drawn();
      this.#source.prefetch(from_s, to_s);
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#recording = null;
      this.#message.textContent = this.#on.failed(error);
      this.#message.hidden = false;
    }
  }

  // ---------------------------------------------------------------------------------------------- drawing

  /** The part of the recording that is seen, its time beginning with the strip. @returns {Recording | null} */
  #seen() {
    const all = this.#recording;
    if (!all) return null;
    const first = Math.max(0, Math.round((this.at_s - this.#recording_s) * all.sampling_hz));
    const last = Math.min(all.n_samples, first + Math.ceil(this.visible_s * all.sampling_hz) + 1);
    if (last - first < 2) return null;
    const leads = all.leads.map((lead) => ({ ...lead, uv: lead.uv.subarray(first, last) }));
    return { ...all, leads, n_samples: last - first, duration_s: (last - first) / all.sampling_hz };
  }

  #draw() {
    const seen = this.#seen();
    const width = this.element.clientWidth;
    const height = this.element.clientHeight - LANE_PX;
    if (!seen || width < 40 || height < 40) return;
    const reaches = new Map(seen.leads.map((lead) => [lead.name, reachOf(lead.uv, lead.centre_uv)]));
    this.#page = layPage({
      layout: "day",
      recorded: seen.leads.map((lead) => lead.name),
      rhythm: [],
      single: "",
      duration_s: this.visible_s,
      speed: this.speed,
      room_mm: height / this.pxPerMm,
      reach: { gain: this.gain, of: (name) => reaches.get(name) ?? { up_uv: 0, down_uv: 0 } },
    });
    const dpr = window.devicePixelRatio || 1;
    if (!sized(this.#canvas, width, height)) return;
    const ctx = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d", { alpha: false }));
    draw(ctx, {
      recording: seen,
      page: this.#page,
      gain: this.gain,
      scale: this.pxPerMm * dpr,
      dpr,
      left_px: 0,
      top_px: 0,
      width_px: this.#canvas.width,
      height_px: this.#canvas.height,
      theme: themeOf(this.element),
      quality: {},
      beats_s: [],
      beat_kinds: "",
      fiducials: [],
      evidence: this.#evidence(),
      calliper: this.#calliper,
      march: false,
    });
    this.#drawLetters(width);
  }

  #evidence() {
    if (this.framed) return [{ ...this.framed, start_s: this.framed.start_s - this.at_s, end_s: this.framed.end_s - this.at_s }];
    const frames = [];
    for (const beat of this.beats) {
      if (!this.selected.has(beat.sample)) continue;
      const at_s = beat.at_s - this.at_s;
      frames.push({ leads: [], start_s: at_s - AROUND_S, end_s: at_s + AROUND_S });
    }
    return frames;
  }

  /** @param {number} at_s @returns {number} CSS pixels */
  #x(at_s) {
    const lane = this.#page?.lanes[0];
    return lane ? timeToMm(lane, at_s - this.at_s, this.speed) * this.pxPerMm : 0;
  }

  /** The class of each beat, and between two of them their interval in milliseconds. @param {number} width */
  #drawLetters(width) {
    const ctx = sized(this.#letters, width, LANE_PX);
    if (!ctx) return;
    const colours = paletteOf(this.element);
    ctx.fillStyle = colours.paper;
    ctx.fillRect(0, 0, width, LANE_PX);
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    let before = null;
    let letter_end = -Infinity;
    for (const beat of this.beats) {
      const x = this.#x(beat.at_s);
      if (before !== null) this.#drawInterval(ctx, colours, before, beat);
      before = beat;
      if (x < 6 || x > width - 4) continue;
      const is_selected = this.selected.has(beat.sample);
      if (is_selected) {
        ctx.fillStyle = colours.accent;
        ctx.fillRect(x - 9, 2, 18, 17);
      }
      if (x - letter_end < LETTER_PX / 2 && beat.label === "N" && !is_selected) continue; // too dense: the early ones are told
      ctx.font = `${beat.label === "N" ? 400 : 700} 13px ${colours.font}`;
      ctx.fillStyle = is_selected ? colours.paper : colours.label[beat.label];
      ctx.fillText(beat.label, x, 11);
      letter_end = x + LETTER_PX / 2;
    }
  }

  /** @param {CanvasRenderingContext2D} ctx @param {import("./canvas.js").Palette} colours @param {Beat} a @param {Beat} b */
  #drawInterval(ctx, colours, a, b) {
    const x0 = this.#x(a.at_s);
    const x1 = this.#x(b.at_s);
    if (x1 - x0 < INTERVAL_PX) return;
    ctx.font = `11px ${colours.font}`;
    ctx.fillStyle = colours.quiet;
    ctx.fillText(String(Math.round((b.at_s - a.at_s) * 1000)), (x0 + x1) / 2, 26);
    ctx.fillStyle = colours.line;
    ctx.fillRect(Math.round(x1), 21, 1, 10);
  }

  // --------------------------------------------------------------------------------------------- gestures

  #listen() {
    const element = this.element;
    let down = /** @type {{x: number, y: number, at_s: number, id: number, touch: boolean, moved: boolean} | null} */ (null);
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      const box = element.getBoundingClientRect();
      down = { x: event.clientX - box.left, y: event.clientY - box.top, at_s: this.at_s, id: event.pointerId, touch: event.pointerType === "touch", moved: false };
      element.setPointerCapture(event.pointerId);
    });
    element.addEventListener("pointermove", (event) => {
      if (!down || event.pointerId !== down.id) return;
      const box = element.getBoundingClientRect();
      const x = event.clientX - box.left;
      const y = event.clientY - box.top;
      if (!down.moved && Math.hypot(x - down.x, y - down.y) < DRAG_PX) return;
      down.moved = true;
      if (down.touch) this.#on.moved(down.at_s - (x - down.x) / this.pxPerMm / this.speed);
      else this.#measure(down, { x, y });
    });
    element.addEventListener("pointerup", (event) => {
      if (down && !down.moved) this.#pick(down.x, event.shiftKey || event.ctrlKey || event.metaKey);
      down = null;
    });
    element.addEventListener("pointercancel", () => (down = null));
    element.addEventListener(
      "wheel",
      (event) => {
        const by = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.deltaY;
        event.preventDefault();
        this.#on.moved(this.at_s + (Math.sign(by) * this.visible_s) / 4);
      },
      { passive: false },
    );
  }

  /** @param {{x: number, y: number}} from @param {{x: number, y: number}} to */
  #measure(from, to) {
    if (!this.#page || !this.#recording) return;
    const mm = (/** @type {number} */ px) => px / this.pxPerMm;
    const lane = laneAt(this.#page, mm(from.x), mm(from.y - LANE_PX));
    if (!lane || lane.lead < 0) return;
    const centre = this.#recording.leads[lane.lead].centre_uv;
    const [a, b] = [from, to].map(({ x, y }) => ({
      s: mmToTime(lane, mm(x), this.speed),
      uv: mmToUv(lane, mm(y - LANE_PX), this.gain) + centre,
    }));
    this.#calliper = calliper(lane, a.s, b.s, a.uv, b.uv);
    this.redraw();
  }

  /** @param {number} x @param {boolean} more */
  #pick(x, more) {
    let nearest = null;
    for (const beat of this.beats) {
      const away = Math.abs(this.#x(beat.at_s) - x);
      if (away < NEAR_PX && (!nearest || away < Math.abs(this.#x(nearest.at_s) - x))) nearest = beat;
    }
    if (this.#calliper) {
      this.#calliper = null;
      this.redraw();
    }
    this.#on.picked(nearest ? [nearest] : [], more);
  }

  /** The moment at the strip's pixel. @param {number} x */
  timeAt(x) {
    const lane = this.#page?.lanes[0];
    return lane ? this.at_s + mmToTime(lane, x / this.pxPerMm, this.speed) : this.at_s;
  }

  /** Whether there was a calliper to put away. */
  escape() {
    if (!this.#calliper) return false;
    this.#calliper = null;
    this.redraw();
    return true;
  }
}
