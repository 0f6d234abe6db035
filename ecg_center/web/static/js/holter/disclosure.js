// How does a whole hour look at one glance? Full disclosure: a minute a row, one lead, early beats in colour. A click on
// a row brings the strip there.

import { h } from "../dom.js";
import { t } from "../texts.js";
import { onceAFrame, paletteOf, sized } from "./canvas.js";

const ROW_PX = 27;
const GUTTER_PX = 62;
const REACH = 1.5; // rows: a QRS may reach into its neighbours', so that small waves are seen at all
const AROUND_S = 0.25;
const ROW_SECONDS = [30, 60, 120];

export class Disclosure {
  #from_s = 0;
  #lead = 0;
  #row_s = 60;
  #asked = 0;
  /** @type {{from_s: number, columns: number, rows: number, low: Float32Array, high: Float32Array, beats: import("./source.js").Beat[]} | null} */
  #shown = null;
  #cursor_s = 0;
  #canvas = h("canvas", { "aria-hidden": "true" });
  #title = h("span", { class: "quiet small" });
  #leads = h("select", { "aria-label": t("Lead"), onchange: () => this.#again(() => (this.#lead = Number(this.#leads.value))) });
  #lengths = h("select", { "aria-label": t("Length of a row"), onchange: () => this.#again(() => (this.#row_s = Number(this.#lengths.value))) });
  #paper = h("div", { class: "disclosure-paper" }, this.#canvas);
  element = h(
    "div",
    { class: "day-disclosure" },
    h(
      "div",
      { class: "disclosure-bar" },
      h("button", { type: "button", class: "button small", onclick: () => this.page(-1), title: t("A page back (PageUp)") }, "↑"),
      h("button", { type: "button", class: "button small", onclick: () => this.page(1), title: t("A page on (PageDown)") }, "↓"),
      this.#leads,
      this.#lengths,
      this.#title,
    ),
    this.#paper,
  );
  redraw = onceAFrame(() => this.#draw());
  #source;
  #clock;

  /**
   * @param {import("./source.js").DaySource} source
   * @param {import("./time.js").Clock} clock
   * @param {(at_s: number) => void} go
   */
  constructor(source, clock, go) {
    this.#source = source;
    this.#clock = clock;
    this.#leads.append(...source.header.leads.map((lead, i) => h("option", { value: i }, lead.name)));
    this.#lengths.append(...ROW_SECONDS.map((s) => h("option", { value: s }, t("%(n)s s a row", { n: s }))));
    this.#lengths.value = String(this.#row_s);
    this.#canvas.addEventListener("click", (event) => {
      if (!this.#shown) return;
      const box = this.#canvas.getBoundingClientRect();
      const row = Math.floor((event.clientY - box.top) / ROW_PX);
      const share = Math.min(1, Math.max(0, (event.clientX - box.left - GUTTER_PX) / (box.width - GUTTER_PX)));
      go(this.#shown.from_s + (row + share) * this.#row_s);
    });
    this.#canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        void this.show(this.#from_s + Math.sign(event.deltaY) * 5 * this.#row_s);
      },
      { passive: false },
    );
  }

  /** @param {() => void} change */
  #again(change) {
    change();
    void this.show(this.#from_s);
  }

  get #rows() {
    return Math.max(4, Math.floor(this.#paper.clientHeight / ROW_PX));
  }

  /** Show the page that holds this moment. @param {number} at_s */
  open(at_s) {
    this.#cursor_s = at_s;
    void this.show(at_s - 3 * this.#row_s);
  }

  /** @param {1 | -1} step */
  page(step) {
    void this.show(this.#from_s + step * this.#rows * this.#row_s);
  }

  /** @param {number} at_s */
  async show(at_s) {
    const rows = this.#rows;
    const last_s = Math.max(0, this.#source.duration_s - rows * this.#row_s);
    const phase_s = this.#clock.firstHour() % this.#row_s; // rows begin with the minute of the clock
    const whole = Math.floor((Math.min(last_s, Math.max(0, at_s)) - phase_s) / this.#row_s) * this.#row_s + phase_s;
    this.#from_s = Math.max(0, whole);
    const to_s = Math.min(this.#source.duration_s, this.#from_s + rows * this.#row_s);
    const columns = Math.max(100, Math.min(1100, Math.round((this.#paper.clientWidth - GUTTER_PX) * (window.devicePixelRatio || 1))));
    const asked = ++this.#asked;
    const shown_rows = (to_s - this.#from_s) / this.#row_s;
    try {
      const [made, beats] = await Promise.all([
        this.#source.overview(this.#from_s, to_s, Math.round(columns * shown_rows), this.#lead),
        this.#source.beats(this.#from_s, to_s),
      ]);
      if (asked !== this.#asked) return;
      this.#shown = { from_s: this.#from_s, columns: made.columns / shown_rows, rows: Math.ceil(shown_rows), low: made.low, high: made.high, beats };
      this.#title.textContent = `${this.#clock.at(this.#from_s)} – ${this.#clock.at(to_s)}`;
      this.redraw();
    } catch {
      this.#title.textContent = t("The recording did not arrive whole. Nothing is drawn; check the network and try again.");
    }
  }

  /** Look anew: beats have changed or the room has. */
  refresh() {
    if (this.element.isConnected && !this.element.hidden) void this.show(this.#from_s);
  }

  #draw() {
    const shown = this.#shown;
    const width = this.#paper.clientWidth;
    const ctx = shown && sized(this.#canvas, width, this.#rows * ROW_PX);
    if (!shown || !ctx) return;
    const colours = paletteOf(this.element);
    ctx.fillStyle = colours.paper;
    ctx.fillRect(0, 0, width, this.#rows * ROW_PX);
    ctx.font = `11px ${colours.font}`;
    ctx.textBaseline = "middle";
    const uv_px = scaleOf(shown.low, shown.high);
    for (let row = 0; row < shown.rows; row++) {
      const begins_s = shown.from_s + row * this.#row_s;
      const y = row * ROW_PX;
      ctx.fillStyle = colours.line;
      ctx.fillRect(0, y + ROW_PX - 1, width, 1);
      ctx.fillStyle = colours.quiet;
      ctx.fillText(this.#row_s < 60 ? this.#clock.at(begins_s).slice(-8) : this.#clock.short(begins_s), 6, y + ROW_PX / 2);
      this.#drawRow(ctx, colours, row, { width, uv_px });
      if (this.#cursor_s >= begins_s && this.#cursor_s < begins_s + this.#row_s) {
        ctx.strokeStyle = colours.cursor;
        ctx.lineWidth = 2;
        const x = GUTTER_PX + ((this.#cursor_s - begins_s) / this.#row_s) * (width - GUTTER_PX);
        ctx.strokeRect(x, y + 1, Math.max(6, (10 / this.#row_s) * (width - GUTTER_PX)), ROW_PX - 3);
      }
    }
  }

  /** @param {CanvasRenderingContext2D} ctx @param {import("./canvas.js").Palette} colours @param {number} row @param {{width: number, uv_px: number}} scale */
  #drawRow(ctx, colours, row, { width, uv_px }) {
    const shown = /** @type {NonNullable<typeof this.shown>} */ (this.#shown);
    const first = Math.round(row * shown.columns);
    const last = Math.min(shown.low.length, Math.round((row + 1) * shown.columns));
    if (last <= first) return;
    const begins_s = shown.from_s + row * this.#row_s;
    const step = (width - GUTTER_PX) / shown.columns;
    const middle = middleOf(shown.low, shown.high, first, last);
    const zero = row * ROW_PX + ROW_PX * 0.62;
    const tones = tonesOf(shown.beats, begins_s, this.#row_s, last - first, shown.columns);
    for (let i = first; i < last; i++) {
      if (shown.low[i] !== shown.low[i]) continue;
      const top = Math.max(row * ROW_PX - ROW_PX / 2, zero - (shown.high[i] - middle) / uv_px);
      const foot = Math.min((row + 1.5) * ROW_PX, zero - (shown.low[i] - middle) / uv_px);
      const label = tones[i - first];
      ctx.fillStyle = label ? colours.label[label] : colours.text;
      ctx.fillRect(GUTTER_PX + (i - first) * step, top, Math.max(step, 0.7), Math.max(0.9, foot - top));
    }
  }

  /** For type checks only: what is shown. */
  get shown() {
    return this.#shown;
  }
}

/** Microvolts a pixel at which nearly all beats of the page keep to their reach. @param {Float32Array} low @param {Float32Array} high */
function scaleOf(low, high) {
  const heights = [];
  for (let i = 0; i < low.length; i += 7) if (low[i] === low[i]) heights.push(high[i] - low[i]);
  heights.sort((a, b) => a - b);
  return Math.max(20, (heights[Math.floor(heights.length * 0.97)] ?? 1000) / (ROW_PX * REACH) * 1.4);
}

/** @param {Float32Array} low @param {Float32Array} high @param {number} first @param {number} last */
function middleOf(low, high, first, last) {
  const middles = [];
  for (let i = first; i < last; i++) if (low[i] === low[i]) middles.push((low[i] + high[i]) / 2);
  middles.sort((a, b) => a - b);
  return middles[middles.length >> 1] ?? 0;
}

/**
 * The label of the early beat that each column belongs to, empty for the usual ones.
 * @param {import("./source.js").Beat[]} beats @param {number} begins_s @param {number} row_s @param {number} n @param {number} columns
 */
function tonesOf(beats, begins_s, row_s, n, columns) {
  const tones = new Array(n).fill("");
  for (const beat of beats) {
    if (beat.label === "N" || beat.at_s < begins_s - 1 || beat.at_s > begins_s + row_s + 1) continue;
    const a = Math.max(0, Math.floor(((beat.at_s - AROUND_S - begins_s) / row_s) * columns));
    const b = Math.min(n, Math.ceil(((beat.at_s + AROUND_S - begins_s) / row_s) * columns));
    tones.fill(beat.label, a, Math.max(a, b));
  }
  return tones;
}
