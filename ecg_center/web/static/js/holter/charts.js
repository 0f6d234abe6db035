// How did ST, QT and variability go over the day? Plain lines on one axis of time, the diary's marks dashed across them; a
// click brings the strip there.

import { h } from "../dom.js";
import { t } from "../texts.js";
import { niceStep, onceAFrame, paletteOf, sized, timeStep } from "./canvas.js";

/** @typedef {{name: string, times_s: number[], values: (number | null)[]}} Series */
/** @typedef {{title: string, unit: string, series: Series[], zero?: boolean, bars?: boolean, wide_s?: number, least?: number}} Chart */

const HEIGHT_PX = 116;
const GUTTER_PX = 46;
const AXIS_PX = 15;
const GAP_STEPS = 4; // a line is not drawn across so many values that are not there
const HOUR_S = 3600;
const ALTERNANS_S = 120;
const COLOURS = ["N", "S", "V", "F", "P", "Q"];

export class Charts {
  /** @type {{chart: Chart, canvas: HTMLCanvasElement}[]} */ #charts = [];
  /** @type {number[]} */ #diary_s = [];
  #at_s = 0;
  element = h("div", { class: "day-charts" });
  redraw = onceAFrame(() => this.#draw());
  #last;
  #clock;
  #duration_s;
  #go;

  /** @param {import("./time.js").Clock} clock @param {number} duration_s @param {(at_s: number) => void} go @param {HTMLElement} last stands below the courses */
  constructor(clock, duration_s, go, last) {
    this.#last = last;
    this.#clock = clock;
    this.#duration_s = duration_s;
    this.#go = go;
  }

  /** @param {Chart[]} charts those without a value are left out @param {number[]} [diary_s] moments that the patient marked */
  set(charts, diary_s = []) {
    this.#diary_s = diary_s;
    const filled = charts.filter((chart) => chart.series.some(({ values }) => values.some((value) => value !== null)));
    this.#charts = filled.map((chart) => ({ chart, canvas: this.#canvas() }));
    this.element.replaceChildren(
      ...this.#charts.map(({ chart, canvas }) =>
        h(
          "figure",
          {},
          h("figcaption", {}, h("strong", {}, chart.title), h("span", { class: "quiet small" }, chart.unit), ...legend(chart)),
          canvas,
        ),
      ),
    );
    if (!filled.length) this.element.append(h("p", { class: "quiet" }, t("Nothing was measured that has a course.")));
    this.element.append(this.#last);
    this.redraw();
  }

  #canvas() {
    const canvas = h("canvas", { "aria-hidden": "true" });
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      const share = (event.clientX - box.left - GUTTER_PX) / Math.max(1, box.width - GUTTER_PX);
      this.#go(Math.min(1, Math.max(0, share)) * this.#duration_s);
    });
    return canvas;
  }

  /** @param {number} at_s */
  mark(at_s) {
    this.#at_s = at_s;
    this.redraw();
  }

  #draw() {
    const width = this.element.clientWidth - 24;
    const colours = paletteOf(this.element);
    for (const { chart, canvas } of this.#charts) {
      const ctx = sized(canvas, width, HEIGHT_PX);
      if (ctx) this.#drawOne(ctx, chart, colours, width);
    }
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Chart} chart @param {import("./canvas.js").Palette} colours @param {number} width */
  #drawOne(ctx, chart, colours, width) {
    const bottom = HEIGHT_PX - AXIS_PX;
    const [low, high] = rangeOf(chart);
    const x = (/** @type {number} */ s) => GUTTER_PX + (s / this.#duration_s) * (width - GUTTER_PX);
    const y = (/** @type {number} */ value) => bottom - 3 - ((value - low) / (high - low)) * (bottom - 8);
    ctx.fillStyle = colours.paper;
    ctx.fillRect(0, 0, width, HEIGHT_PX);
    ctx.font = `11px ${colours.font}`;
    ctx.textBaseline = "middle";
    const rise = niceStep(high - low, 4);
    for (let value = Math.ceil(low / rise) * rise; value <= high + 1e-9; value += rise) {
      ctx.fillStyle = colours.line;
      ctx.fillRect(GUTTER_PX, Math.round(y(value)), width, 1);
      ctx.fillStyle = colours.quiet;
      ctx.fillText(String(Math.round(value * 100) / 100), 2, y(value));
    }
    const step = Math.max(3600, timeStep(this.#duration_s, width / 70));
    ctx.textBaseline = "bottom";
    for (let at = this.#clock.firstTick(step); at < this.#duration_s; at += step) {
      ctx.fillStyle = colours.line;
      ctx.fillRect(Math.round(x(at)), 0, 1, bottom);
      ctx.fillStyle = colours.quiet;
      ctx.fillText(this.#clock.tick(at), x(at) + 2, HEIGHT_PX);
    }
    ctx.fillStyle = colours.quiet;
    for (const at_s of this.#diary_s) for (let top = 0; top < bottom; top += 6) ctx.fillRect(Math.round(x(at_s)), top, 1, 3);
    chart.series.forEach((series, i) => {
      ctx.strokeStyle = ctx.fillStyle = colours.label[series.name] ?? colours.label[COLOURS[i % COLOURS.length]];
      if (chart.bars) drawBars(ctx, series, x, y, low, chart.wide_s ?? HOUR_S);
      else drawLine(ctx, series, x, y);
    });
    ctx.fillStyle = colours.cursor;
    ctx.fillRect(x(this.#at_s), 0, 2, bottom);
  }
}

/** @param {Chart} chart */
function legend(chart) {
  if (chart.series.length < 2) return [];
  return chart.series.map(({ name }, i) => h("span", { class: `small label-${COLOURS[i % COLOURS.length]}` }, `■ ${name}`));
}

/** @param {Chart} chart @returns {[number, number]} */
function rangeOf(chart) {
  const values = chart.series.flatMap((series) => series.values.filter((value) => value !== null).map(Number));
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (chart.zero || chart.bars) [low, high] = [Math.min(low, 0), Math.max(high, 0)];
  const least = chart.least ?? 1;
  if (high - low < least) [low, high] = [low - least / 2, high + least / 2];
  const spare = (high - low) * 0.08;
  return [chart.bars ? low : low - spare, high + spare];
}

/** @param {CanvasRenderingContext2D} ctx @param {Series} series @param {(s: number) => number} x @param {(v: number) => number} y */
function drawLine(ctx, { times_s, values }, x, y) {
  ctx.lineWidth = 1.25;
  ctx.beginPath();
  const steps = times_s.slice(1).map((at_s, i) => at_s - times_s[i]).sort((a, b) => a - b);
  const gap_s = GAP_STEPS * (steps[steps.length >> 1] ?? 60);
  let before_s = -Infinity;
  times_s.forEach((at_s, i) => {
    const value = values[i];
    if (value === null) return;
    if (at_s - before_s > gap_s) ctx.moveTo(x(at_s), y(value));
    else ctx.lineTo(x(at_s), y(value));
    before_s = at_s;
  });
  ctx.stroke();
}

/** @param {CanvasRenderingContext2D} ctx @param {Series} series @param {(s: number) => number} x @param {(v: number) => number} y @param {number} low @param {number} wide_s */
function drawBars(ctx, { times_s, values }, x, y, low, wide_s) {
  times_s.forEach((at_s, i) => {
    const value = values[i];
    if (!value) return;
    const wide = Math.max(2, x(at_s + wide_s) - x(at_s) - 2);
    ctx.fillRect(x(at_s) + 1, y(value), wide, Math.max(1, y(low) - y(value)));
  });
}

/**
 * The courses that the findings hold.
 * @param {any} holter contract/holter.py's HolterFindings
 * @returns {Chart[]}
 */
export function chartsOf(holter) {
  const hours = /** @type {any[]} */ (holter.hours);
  const alternans = /** @type {any[]} */ (holter.events).filter(({ kind }) => kind === "t_alternans");
  const begins = hours.map((hour) => hour.start_s);
  const by_hour = holter.hrv.filter((/** @type {any} */ window) => window.name === "hour");
  const variability = (/** @type {string} */ name) => ({
    name: name.replace(/_ms$/, "").toUpperCase(),
    times_s: by_hour.map((/** @type {any} */ window) => (window.start_s + window.end_s) / 2),
    values: by_hour.map((/** @type {any} */ window) => window.metrics[name] ?? null),
  });
  return [
    {
      title: t("ST level"),
      unit: "mV",
      zero: true,
      least: 0.4,
      series: holter.st.map((/** @type {any} */ trend) => ({ name: trend.lead, times_s: trend.times_s, values: trend.level_mv })),
    },
    {
      title: "QT / QTc",
      unit: "ms",
      least: 100,
      series: [
        { name: "QTc", times_s: holter.qt.times_s, values: holter.qt.qtc_ms },
        { name: "QT", times_s: holter.qt.times_s, values: holter.qt.qt_ms },
      ],
    },
    { title: t("T-wave alternans"), unit: "µV", bars: true, least: 50, wide_s: ALTERNANS_S, series: [{ name: "TWA", times_s: alternans.map(({ start_s }) => start_s), values: alternans.map(({ value }) => value) }] },
    { title: t("Variability by hour"), unit: "ms", least: 50, series: [variability("sdnn_ms"), variability("rmssd_ms")] },
    { title: t("Ventricular beats by hour"), unit: "", bars: true, series: [{ name: "V", times_s: begins, values: hours.map((hour) => hour.v_beats) }] },
    { title: t("Supraventricular beats by hour"), unit: "", bars: true, series: [{ name: "S", times_s: begins, values: hours.map((hour) => hour.s_beats) }] },
    { title: t("Fibrillation by hour"), unit: "min", bars: true, series: [{ name: "AF", times_s: begins, values: hours.map((hour) => hour.af_s / 60) }] },
  ];
}
