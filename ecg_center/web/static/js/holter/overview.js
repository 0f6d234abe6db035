// What lies about the strip? The envelope of one lead over minutes to the whole recording; the frame is the strip, and
// a click brings it elsewhere.

import { h } from "../dom.js";
import { t } from "../texts.js";
import { onceAFrame, paletteOf, sized, timeStep } from "./canvas.js";

const AXIS_PX = 14;
const SPANS_S = [60, 300, 1800, 2 * 3600, 6 * 3600, 86400, 3 * 86400, 14 * 86400];

export class Around {
  span_s = 300;
  lead = 0;
  #at_s = 0;
  #seconds = 10;
  #asked = 0;
  /** @type {{from_s: number, to_s: number, low: Float32Array, high: Float32Array} | null} */ #shown = null;
  #canvas = h("canvas", { "aria-hidden": "true" });
  #title = h("span", { class: "around-title" });
  element = h(
    "div",
    { class: "day-around" },
    this.#canvas,
    this.#title,
    h(
      "span",
      { class: "around-tools" },
      h("button", { type: "button", class: "button small", title: t("Less time"), onclick: () => this.#zoom(-1) }, "+"),
      h("button", { type: "button", class: "button small", title: t("More time"), onclick: () => this.#zoom(1) }, "−"),
    ),
  );
  redraw = onceAFrame(() => this.#draw());
  #source;
  #clock;
  #go;

  /**
   * @param {import("./source.js").DaySource} source
   * @param {import("./time.js").Clock} clock
   * @param {(middle_s: number) => void} go
   */
  constructor(source, clock, go) {
    this.#source = source;
    this.#clock = clock;
    this.#go = go;
    this.#canvas.addEventListener("pointerdown", (event) => this.#press(event));
    this.#canvas.addEventListener("pointermove", (event) => event.buttons & 1 && this.#press(event));
    this.element.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.#zoom(event.deltaY > 0 ? 1 : -1);
      },
      { passive: false },
    );
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (!this.#shown) return;
    const box = this.#canvas.getBoundingClientRect();
    this.#go(this.#shown.from_s + ((event.clientX - box.left) / box.width) * (this.#shown.to_s - this.#shown.from_s));
  }

  /** @param {number} step */
  #zoom(step) {
    const fitting = SPANS_S.filter((span) => span < this.#source.duration_s * 2);
    const at = fitting.findIndex((span) => span >= this.span_s);
    this.span_s = fitting[Math.min(fitting.length - 1, Math.max(0, at + step))];
    void this.show(this.#at_s, this.#seconds);
  }

  /** Show where the strip lies. @param {number} at_s @param {number} seconds */
  async show(at_s, seconds) {
    this.#at_s = at_s;
    this.#seconds = seconds;
    const total_s = this.#source.duration_s;
    const span_s = Math.min(total_s, Math.max(this.span_s, 2 * seconds));
    const shown = this.#shown;
    const fits = shown && Math.abs(shown.to_s - shown.from_s - span_s) < 1 && at_s >= shown.from_s && at_s + seconds <= shown.to_s;
    if (fits) return this.redraw();
    const from_s = Math.max(0, Math.min(total_s - span_s, Math.round(at_s + seconds / 2 - span_s / 2)));
    const asked = ++this.#asked;
    const columns = Math.max(50, Math.round(this.element.clientWidth * (window.devicePixelRatio || 1)));
    try {
      const made = await this.#source.overview(from_s, from_s + span_s, columns, this.lead);
      if (asked !== this.#asked) return;
      this.#shown = { from_s, to_s: from_s + span_s, low: made.low, high: made.high };
      this.redraw();
    } catch {
      this.#shown = null; // the strip says why nothing comes
    }
  }

  /** Another lead. @param {number} lead */
  setLead(lead) {
    this.lead = lead;
    this.#shown = null;
    void this.show(this.#at_s, this.#seconds);
  }

  /** Look anew, at another width. */
  resize() {
    this.#shown = null;
    void this.show(this.#at_s, this.#seconds);
  }

  #draw() {
    const shown = this.#shown;
    const width = this.element.clientWidth;
    const height = this.element.clientHeight;
    const ctx = shown && sized(this.#canvas, width, height);
    if (!shown || !ctx) return;
    const colours = paletteOf(this.element);
    ctx.fillStyle = colours.paper;
    ctx.fillRect(0, 0, width, height);
    this.#axis(ctx, colours, shown, width, height);
    const room = height - AXIS_PX;
    const { low, high } = shown;
    const [bottom, top] = reach(low, high);
    const y = (/** @type {number} */ uv) => 2 + ((top - uv) / (top - bottom)) * (room - 4);
    const step = width / low.length;
    ctx.fillStyle = colours.rate;
    for (let i = 0; i < low.length; i++) {
      if (low[i] !== low[i]) continue;
      const a = y(Math.min(top, high[i]));
      ctx.fillRect(i * step, a, Math.max(step, 0.6), Math.max(0.8, y(Math.max(bottom, low[i])) - a));
    }
    const px = width / (shown.to_s - shown.from_s);
    ctx.strokeStyle = colours.cursor;
    ctx.lineWidth = 2;
    ctx.strokeRect((this.#at_s - shown.from_s) * px, 1, Math.max(3, this.#seconds * px), room - 1);
    this.#title.textContent = this.#source.header.leads[this.lead].name;
  }

  /** @param {CanvasRenderingContext2D} ctx @param {import("./canvas.js").Palette} colours @param {{from_s: number, to_s: number}} shown @param {number} width @param {number} height */
  #axis(ctx, colours, { from_s, to_s }, width, height) {
    const step = timeStep(to_s - from_s, width / 90);
    const first = this.#clock.firstHour() % step;
    ctx.font = `11px ${colours.font}`;
    ctx.textBaseline = "bottom";
    for (let at = first + Math.ceil((from_s - first) / step) * step; at < to_s; at += step) {
      const x = ((at - from_s) / (to_s - from_s)) * width;
      ctx.fillStyle = colours.line;
      ctx.fillRect(Math.round(x), 0, 1, height - AXIS_PX + 3);
      ctx.fillStyle = colours.quiet;
      ctx.fillText(step < 60 ? this.#clock.at(at) : this.#clock.short(at), x + 3, height);
    }
  }
}

/** What most of the columns reach: a spike of an artefact may leave the picture. @param {Float32Array} low @param {Float32Array} high */
function reach(low, high) {
  const lows = [...low].filter((value) => value === value).sort((a, b) => a - b);
  const highs = [...high].filter((value) => value === value).sort((a, b) => a - b);
  if (!lows.length) return [-1000, 1000];
  const bottom = lows[Math.floor(lows.length * 0.02)];
  const top = highs[Math.floor(highs.length * 0.98)];
  const spare = Math.max(200, (top - bottom) * 0.15);
  return [bottom - spare, top + spare];
}
