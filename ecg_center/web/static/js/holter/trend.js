// How did the heart beat over the whole recording? Rate with its highest and lowest, early beats below it, fibrillation
// and noise behind it. A click brings the strip there.

import { h } from "../dom.js";
import { t } from "../texts.js";
import { onceAFrame, paletteOf, sized, timeStep } from "./canvas.js";

/** @typedef {import("./source.js").Trend} Trend */
/** @typedef {import("./kinds.js").HolterEvent} HolterEvent */

const AXIS_PX = 15;
const ECTOPY_PX = 22;
const GUTTER_PX = 30;
const LEAST_BPM = 40;
const MOST_BPM = 120;

export class DayTrend {
  /** @type {Trend | null} */ #trend = null;
  /** @type {HolterEvent[]} */ #events = [];
  #at_s = 0;
  #seconds = 10;
  #canvas = h("canvas", { "aria-hidden": "true" });
  element = h("div", { class: "day-trend", title: t("Heart rate over the recording; a click goes there") }, this.#canvas);
  redraw = onceAFrame(() => this.#draw());
  #clock;
  #duration_s;

  /**
   * @param {import("./time.js").Clock} clock
   * @param {number} duration_s
   * @param {(at_s: number) => void} go
   */
  constructor(clock, duration_s, go) {
    this.#clock = clock;
    this.#duration_s = duration_s;
    const press = (/** @type {PointerEvent} */ event) => {
      const box = this.#canvas.getBoundingClientRect();
      const share = (event.clientX - box.left - GUTTER_PX) / Math.max(1, box.width - GUTTER_PX);
      go(Math.min(1, Math.max(0, share)) * duration_s);
    };
    this.element.addEventListener("pointerdown", press);
    this.element.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) press(event);
    });
  }

  /** Columns that the width holds. */
  get columns() {
    return Math.max(60, Math.min(2000, this.element.clientWidth - GUTTER_PX));
  }

  /** @param {Trend} trend @param {HolterEvent[]} events */
  set(trend, events) {
    this.#trend = trend;
    this.#events = events.filter((event) => ["af", "flutter", "noise", "lead_off", "vt", "vf", "pause", "asystole", "av_block_2", "av_block_3", "diary"].includes(event.kind));
    this.redraw();
  }

  /** @param {number} at_s @param {number} seconds */
  mark(at_s, seconds) {
    this.#at_s = at_s;
    this.#seconds = seconds;
    this.redraw();
  }

  #draw() {
    const trend = this.#trend;
    const width = this.element.clientWidth;
    const height = this.element.clientHeight;
    const ctx = trend && sized(this.#canvas, width, height);
    if (!trend || !ctx) return;
    const colours = paletteOf(this.element);
    const x = (/** @type {number} */ s) => GUTTER_PX + (s / this.#duration_s) * (width - GUTTER_PX);
    ctx.fillStyle = colours.paper;
    ctx.fillRect(0, 0, width, height);
    const bottom = height - AXIS_PX - ECTOPY_PX;
    this.#drawStretches(ctx, colours, x, bottom);
    this.#drawTime(ctx, colours, x, height);
    this.#drawRate(ctx, colours, trend, x, bottom, width);
    this.#drawEctopy(ctx, colours, trend, x, height - AXIS_PX);
    ctx.fillStyle = colours.cursor;
    const from = x(this.#at_s);
    ctx.fillRect(from, 0, Math.max(2, x(this.#at_s + this.#seconds) - from), height - AXIS_PX);
  }

  /** Fibrillation and noise behind the rate, what is grave as a mark at the top, the diary as a line with a foot. @param {CanvasRenderingContext2D} ctx @param {import("./canvas.js").Palette} colours @param {(s: number) => number} x @param {number} bottom */
  #drawStretches(ctx, colours, x, bottom) {
    for (const event of this.#events) {
      const from = x(event.start_s);
      const wide = x(event.end_s) - from;
      const whole = !event.leads.length;
      if (event.kind === "af" || event.kind === "flutter") ctx.fillStyle = colours.af;
      else if (event.kind === "noise" || event.kind === "lead_off") ctx.fillStyle = colours.noise;
      else if (event.kind === "diary") {
        ctx.fillStyle = colours.quiet;
        ctx.fillRect(from, 0, 1, bottom);
        ctx.fillRect(from - 3, bottom - 5, 7, 5);
        continue;
      } else {
        ctx.fillStyle = colours.label.V;
        ctx.fillRect(from - 1, 0, Math.max(3, wide), 4);
        continue;
      }
      if (whole) ctx.fillRect(from, 0, Math.max(1, wide), bottom);
    }
  }

  /** @param {CanvasRenderingContext2D} ctx @param {import("./canvas.js").Palette} colours @param {(s: number) => number} x @param {number} height */
  #drawTime(ctx, colours, x, height) {
    const step = Math.max(60, timeStep(this.#duration_s, (this.element.clientWidth - GUTTER_PX) / 56));
    ctx.font = `11px ${colours.font}`;
    ctx.textBaseline = "bottom";
    ctx.textAlign = "center";
    for (let at = this.#clock.firstTick(step); at < this.#duration_s; at += step) {
      ctx.fillStyle = colours.line;
      ctx.fillRect(Math.round(x(at)), 0, 1, height - AXIS_PX + 2);
      ctx.fillStyle = colours.quiet;
      const is_inside = x(at) > GUTTER_PX + 12 && x(at) < this.element.clientWidth - 18;
      if (is_inside) ctx.fillText(this.#clock.tick(at), x(at), height);
    }
    ctx.textAlign = "left";
  }

  /** @param {CanvasRenderingContext2D} ctx @param {import("./canvas.js").Palette} colours @param {Trend} trend @param {(s: number) => number} x @param {number} bottom @param {number} width */
  #drawRate(ctx, colours, trend, x, bottom, width) {
    const highs = trend.high_bpm.filter((value) => value !== null).map(Number).sort((a, b) => a - b);
    const most = Math.min(300, Math.max(MOST_BPM, (highs[Math.floor(highs.length * 0.995)] ?? MOST_BPM) * 1.05));
    const y = (/** @type {number} */ bpm) => bottom - ((Math.min(most, bpm) - LEAST_BPM + 15) / (most - LEAST_BPM + 15)) * (bottom - 4);
    ctx.font = `11px ${colours.font}`;
    ctx.textBaseline = "middle";
    for (let bpm = 50; bpm < most; bpm += most > 170 ? 50 : 25) {
      ctx.fillStyle = colours.line;
      ctx.fillRect(GUTTER_PX, Math.round(y(bpm)), width, 1);
      ctx.fillStyle = colours.quiet;
      ctx.fillText(String(bpm), 4, y(bpm));
    }
    const { mean_bpm, low_bpm, high_bpm, start_s, step_s } = trend;
    ctx.fillStyle = colours.band;
    mean_bpm.forEach((mean, i) => {
      if (mean === null) return;
      const a = x(start_s + i * step_s);
      const top = y(high_bpm[i] ?? mean);
      ctx.fillRect(a, top, Math.max(1, x(start_s + (i + 1) * step_s) - a), Math.max(1, y(low_bpm[i] ?? mean) - top));
    });
    ctx.strokeStyle = colours.rate;
    ctx.lineWidth = 1.25;
    ctx.beginPath();
    let down = false;
    mean_bpm.forEach((mean, i) => {
      if (mean === null) {
        down = false;
        return;
      }
      const at = x(start_s + (i + 0.5) * step_s);
      if (down) ctx.lineTo(at, y(mean));
      else ctx.moveTo(at, y(mean));
      down = true;
    });
    ctx.stroke();
  }

  /** Ventricular above, supraventricular below: a bar is as dark as there are many. @param {CanvasRenderingContext2D} ctx @param {import("./canvas.js").Palette} colours @param {Trend} trend @param {(s: number) => number} x @param {number} bottom */
  #drawEctopy(ctx, colours, trend, x, bottom) {
    const lanes = /** @type {[string, number[], number][]} */ ([["V", trend.v, bottom - ECTOPY_PX / 2], ["S", trend.s, bottom]]);
    ctx.font = `700 10px ${colours.font}`;
    ctx.textBaseline = "bottom";
    for (const [label, counts, foot] of lanes) {
      const most = Math.max(1, ...counts);
      ctx.fillStyle = colours.label[label];
      ctx.fillText(label, 14, foot + 1);
      counts.forEach((count, i) => {
        if (!count) return;
        const tall = 2 + (ECTOPY_PX / 2 - 4) * Math.sqrt(count / most);
        const a = x(trend.start_s + i * trend.step_s);
        ctx.fillRect(a, foot - tall, Math.max(1, x(trend.start_s + (i + 1) * trend.step_s) - a), tall);
      });
    }
  }
}
