// How does each interval follow the one before it, in the hour that is looked at? A Poincaré (Lorenz) plot: the sinus
// node makes a comet, early beats and their pauses make wings, fibrillation a fan. A click goes to a beat of the point.

import { h } from "../dom.js";
import { t } from "../texts.js";
import { niceStep, onceAFrame, paletteOf, sized } from "./canvas.js";

/** @typedef {import("./source.js").Beat} Beat */
/** @typedef {{before_ms: number, after_ms: number, beat: Beat}} Pair `beat` ends the second interval */

const HOUR_S = 3600;
const SIDE_PX = 300;
const GUTTER_PX = 40;
const LONGEST_MS = 2500; // longer intervals are pauses, which the list of events has
const LEAST_MS = 1200; // so that a fast hour does not look irregular
const NEAR_PX = 12;

/**
 * Each interval with the one before it.
 * @param {Beat[]} beats in order of time
 * @returns {Pair[]}
 */
export function pairsOf(beats) {
  const pairs = [];
  for (let i = 2; i < beats.length; i++) {
    const before_ms = 1000 * (beats[i - 1].at_s - beats[i - 2].at_s);
    const after_ms = 1000 * (beats[i].at_s - beats[i - 1].at_s);
    if (before_ms <= LONGEST_MS && after_ms <= LONGEST_MS) pairs.push({ before_ms, after_ms, beat: beats[i] });
  }
  return pairs;
}

export class Poincare {
  /** @type {Pair[]} */ #pairs = [];
  #most_ms = LEAST_MS;
  #asked = -1;
  #source;
  #clock;
  #go;
  #hour = h("span", { class: "quiet small" });
  #canvas = h("canvas", { class: "day-poincare", "aria-hidden": "true" });
  element = h("figure", {}, h("figcaption", {}, h("strong", {}, t("Each RR by the one before")), this.#hour), this.#canvas);
  redraw = onceAFrame(() => this.#draw());

  /** @param {import("./source.js").DaySource} source @param {import("./time.js").Clock} clock @param {(at_s: number) => void} go */
  constructor(source, clock, go) {
    this.#source = source;
    this.#clock = clock;
    this.#go = go;
    this.#canvas.addEventListener("click", (event) => this.#click(event));
  }

  /** Show the hour that holds this moment. @param {number} at_s */
  async show(at_s) {
    const hour = Math.max(0, Math.floor(at_s / HOUR_S));
    this.#asked = hour;
    const [from_s, to_s] = [hour * HOUR_S, Math.min((hour + 1) * HOUR_S, this.#source.duration_s)];
    const beats = await this.#source.beats(from_s, to_s).catch(() => []); // the strip says what is wrong
    if (this.#asked !== hour) return; // another hour was asked for meanwhile
    this.#pairs = pairsOf(beats);
    this.#most_ms = this.#pairs.reduce((most, { before_ms, after_ms }) => Math.max(most, before_ms, after_ms), LEAST_MS);
    this.#hour.textContent = `${this.#clock.at(from_s)} – ${this.#clock.at(to_s)} · ms`;
    this.redraw();
  }

  /** @param {number} ms */
  #at(ms) {
    return (ms / this.#most_ms) * (SIDE_PX - GUTTER_PX);
  }

  #draw() {
    const ctx = sized(this.#canvas, SIDE_PX, SIDE_PX);
    if (!ctx) return;
    const colours = paletteOf(this.element);
    const foot = SIDE_PX - GUTTER_PX / 2;
    ctx.fillStyle = colours.paper;
    ctx.fillRect(0, 0, SIDE_PX, SIDE_PX);
    ctx.font = `11px ${colours.font}`;
    ctx.strokeStyle = colours.line;
    ctx.fillStyle = colours.quiet;
    const step = niceStep(this.#most_ms, 5);
    for (let ms = 0; ms <= this.#most_ms; ms += step) {
      const along = this.#at(ms);
      ctx.beginPath();
      ctx.moveTo(GUTTER_PX + along, foot);
      ctx.lineTo(GUTTER_PX + along, GUTTER_PX / 2);
      ctx.moveTo(GUTTER_PX, foot - along);
      ctx.lineTo(SIDE_PX, foot - along);
      ctx.stroke();
      if (ms) ctx.fillText(String(ms), GUTTER_PX + along - 12, SIDE_PX - 5);
      ctx.fillText(String(ms), 2, foot - along + 4);
    }
    for (const { before_ms, after_ms, beat } of this.#pairs) {
      ctx.fillStyle = colours.label[beat.label] ?? colours.text;
      ctx.fillRect(GUTTER_PX + this.#at(before_ms) - 1, foot - this.#at(after_ms) - 1, 2, 2);
    }
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const box = this.#canvas.getBoundingClientRect();
    const x = event.clientX - box.left - GUTTER_PX;
    const y = SIDE_PX - GUTTER_PX / 2 - (event.clientY - box.top);
    let nearest = null;
    let least = NEAR_PX;
    for (const pair of this.#pairs) {
      const off = Math.hypot(this.#at(pair.before_ms) - x, this.#at(pair.after_ms) - y);
      if (off < least) [nearest, least] = [pair, off];
    }
    if (nearest) this.#go(nearest.beat.at_s);
  }
}
