// A day of blood pressures at a glance: every reading as a bar from diastolic to systolic, the night shaded, the limits of
// day and night as steps, the pulse below. Readings that do not count stay to be seen, crossed.
//
//   <pressure-chart><script type="application/json">{"clock": …, "readings": …}</script></pressure-chart>

import { t } from "../texts.js";
import * as geometry from "./scale.js";

/** @typedef {import("./scale.js").Day} Day */
/** @typedef {import("./scale.js").Reading} Reading */
/** @typedef {import("./scale.js").Scale} Scale */

const SVG = "http://www.w3.org/2000/svg";
const DOT = 2.6;
const CROSS = 3.2;
const BOX = 168;

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children
 */
function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, typeof value === "number" ? String(Math.round(value * 10) / 10) : value);
  }
  element.append(...children);
  return element;
}

/** @param {number | null} value */
const whole = (value) => (value === null ? "–" : String(Math.floor(value + 0.5)));

export class PressureChart extends HTMLElement {
  /** @type {Day} */ day = { clock: 0, minutes: 0, readings: [], nights: [], limits: {} };
  /** @type {Scale | null} */ #scale = null;
  /** @type {{start_s: number, end_s: number}[]} */ #frames = [];
  #at = -1;
  #id = `bp-${Math.random().toString(36).slice(2, 8)}`;
  #picture = s("svg", { role: "img" });
  #marks = s("g", { class: "bp-marks" });
  #box = document.createElement("div");
  #watch = new ResizeObserver(() => this.#draw());

  connectedCallback() {
    if (this.#picture.isConnected) return;
    const script = this.querySelector("script[type='application/json']");
    this.day = JSON.parse(script?.textContent ?? "{}");
    this.#box.className = "bp-box";
    this.#box.hidden = true;
    this.tabIndex = 0;
    this.setAttribute("role", "group");
    this.#picture.setAttribute("aria-label", this.getAttribute("aria-label") ?? "");
    this.append(this.#picture, this.#box);
    this.addEventListener("pointermove", (event) => this.#point(event));
    this.addEventListener("pointerdown", (event) => this.#point(event));
    this.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") this.select(-1); // a lifted finger leaves what it showed
    });
    this.addEventListener("click", (event) => {
      if (!(event instanceof PointerEvent) || event.pointerType === "mouse") this.#tell();
    });
    this.addEventListener("keydown", (event) => this.#press(event));
    this.addEventListener("blur", () => this.select(-1));
    this.#watch.observe(this);
    this.#draw();
    this.dataset.state = "ready";
  }

  disconnectedCallback() {
    this.#watch.disconnect();
  }

  /** Which reading is meant now; -1 for none. */
  get selected() {
    return this.#at;
  }

  /** Show which reading is meant; -1 for none. @param {number} index */
  select(index) {
    if (index === this.#at) return;
    this.#at = index;
    this.#drawMarks();
  }

  /** Frame stretches of time. @param {{start_s?: number | null, end_s?: number | null}[]} frames */
  highlight(frames) {
    this.#frames = frames.flatMap(({ start_s, end_s }) =>
      typeof start_s === "number" ? [{ start_s, end_s: end_s ?? start_s }] : [],
    );
    this.#drawMarks();
    if (this.#frames.length) this.scrollIntoView({ block: "nearest" });
  }

  #draw() {
    const width = this.clientWidth;
    if (!width) return;
    const scale = geometry.scaleOf(this.day, width);
    this.#scale = scale;
    this.#picture.setAttribute("viewBox", `0 0 ${width} ${geometry.HEIGHT}`);
    this.#picture.setAttribute("width", String(width));
    this.#picture.setAttribute("height", String(geometry.HEIGHT));
    this.#picture.replaceChildren(
      this.#nights(scale),
      this.#grid(scale),
      this.#limits(scale),
      this.#readings(scale),
      this.#pulse(scale),
      this.#marks,
    );
    this.#drawMarks();
  }

  /** @param {Scale} scale */
  #nights(scale) {
    const group = s("g", {});
    const height = geometry.PRESSURE_HEIGHT + geometry.BETWEEN + geometry.PULSE_HEIGHT;
    for (const { from, to } of geometry.stretches(this.day).filter((one) => one.period === "night")) {
      const [x, end] = [scale.x(from), scale.x(to)];
      group.append(s("rect", { class: "bp-night", x, y: geometry.TOP, width: end - x, height }));
      if (end - x > BOX / 4) {
        const word = "☾ " + t("Night");
        group.append(s("text", { class: "bp-word", x: (x + end) / 2, y: 16, "text-anchor": "middle" }, word));
      }
    }
    return group;
  }

  /** @param {Scale} scale */
  #grid(scale) {
    const end = scale.width - geometry.RIGHT;
    const bottom = geometry.HEIGHT - geometry.AXIS;
    const group = s("g", {});
    for (const level of geometry.levels(scale)) {
      const y = scale.y(level);
      group.append(
        s("line", { class: "bp-grid", x1: geometry.LEFT, x2: end, y1: y, y2: y }),
        s("text", { class: "bp-word", x: geometry.LEFT - 6, y: y + 4, "text-anchor": "end" }, String(level)),
      );
    }
    for (const pulse of [scale.pulse_low, scale.pulse_high]) {
      const y = scale.y_pulse(pulse);
      group.append(
        s("line", { class: "bp-grid", x1: geometry.LEFT, x2: end, y1: y, y2: y }),
        s("text", { class: "bp-word", x: geometry.LEFT - 6, y: y + 4, "text-anchor": "end" }, String(pulse)),
      );
    }
    for (const { minute, text } of geometry.hours(this.day, scale.width)) {
      const x = scale.x(minute);
      group.append(
        s("line", { class: "bp-tick", x1: x, x2: x, y1: bottom, y2: bottom + 4 }),
        s("text", { class: "bp-word", x, y: bottom + 17, "text-anchor": "middle" }, text),
      );
    }
    group.append(
      s("text", { class: "bp-word", x: 4, y: 13 }, "mmHg"),
      s("text", { class: "bp-word", x: 4, y: scale.y_pulse(scale.pulse_high) - 12 }, t("Pulse /min")),
    );
    return group;
  }

  /** @param {Scale} scale */
  #limits(scale) {
    const group = s("g", {});
    for (const which of [0, 1]) {
      let path = "";
      for (const { from, to, period } of geometry.stretches(this.day)) {
        const limit = this.day.limits[period]?.[which];
        if (limit === undefined) continue;
        const y = scale.y(limit).toFixed(1);
        path += `${path ? "L" : "M"}${scale.x(from).toFixed(1)} ${y}L${scale.x(to).toFixed(1)} ${y}`;
      }
      if (path) group.append(s("path", { class: "bp-limit", d: path }));
      const last = geometry.stretches(this.day).at(-1)?.period ?? "day";
      const limit = this.day.limits[last]?.[which];
      if (limit !== undefined) {
        const x = scale.width - geometry.RIGHT + 4;
        group.append(s("text", { class: "bp-word bp-limit-word", x, y: scale.y(limit) + 4 }, String(limit)));
      }
    }
    return group;
  }

  /** @param {Scale} scale */
  #readings(scale) {
    const { x, y } = scale;
    const bars = s("g", {});
    const dots = s("g", {});
    for (const one of this.day.readings) {
      const [minute, systolic, diastolic, , , state] = one;
      if (systolic === null || diastolic === null) {
        dots.append(cross(x(minute), geometry.TOP + geometry.PRESSURE_HEIGHT - CROSS));
      } else if (state !== "used") {
        dots.append(cross(x(minute), y(systolic)), cross(x(minute), y(diastolic)));
      } else {
        bars.append(s("line", { class: "bp-bar", x1: x(minute), x2: x(minute), y1: y(systolic), y2: y(diastolic) }));
        dots.append(
          s("circle", { class: "bp-systolic", cx: x(minute), cy: y(systolic), r: DOT }),
          s("circle", { class: "bp-diastolic", cx: x(minute), cy: y(diastolic), r: DOT }),
        );
      }
    }
    const systolic = geometry.line(this.day, scale, (one) => one[1], y);
    const diastolic = geometry.line(this.day, scale, (one) => one[2], y);
    return s(
      "g",
      {},
      this.#excess(scale),
      bars,
      s("path", { class: "bp-line bp-systolic", d: systolic }),
      s("path", { class: "bp-line bp-diastolic", d: diastolic }),
      dots,
    );
  }

  /** What lies between a line and its limit is shaded: the eye sees the load at once. @param {Scale} scale */
  #excess(scale) {
    const group = s("g", {});
    for (const which of /** @type {const} */ ([0, 1])) {
      const id = `${this.#id}-${which}`;
      group.append(
        s("clipPath", { id }, s("path", { d: geometry.above(this.day, scale, which) })),
        s("path", {
          class: "bp-excess",
          "clip-path": `url(#${id})`,
          d: geometry.surface(this.day, scale, (one) => one[1 + which] === null ? null : Number(one[1 + which])),
        }),
      );
    }
    return group;
  }

  /** @param {Scale} scale */
  #pulse(scale) {
    return s("path", { class: "bp-line bp-pulse", d: geometry.line(this.day, scale, (one) => one[4], scale.y_pulse) });
  }

  #drawMarks() {
    const scale = this.#scale;
    if (!scale) return;
    const bottom = geometry.HEIGHT - geometry.AXIS;
    this.#marks.replaceChildren();
    for (const { start_s, end_s } of this.#frames) {
      const [x, end] = [scale.x(start_s / 60) - 5, scale.x(end_s / 60) + 5];
      const [y, height] = [geometry.TOP - 4, bottom - geometry.TOP + 4];
      this.#marks.append(s("rect", { class: "bp-frame", x, y, width: end - x, height, rx: 3 }));
    }
    const one = this.day.readings[this.#at];
    this.#box.hidden = !one;
    if (!one) return;
    const x = scale.x(one[0]);
    this.#marks.append(s("line", { class: "bp-cursor", x1: x, x2: x, y1: geometry.TOP, y2: bottom }));
    this.#box.replaceChildren(...describe(this.day, one));
    this.#box.dataset.side = x > scale.width / 2 ? "left" : "right";
    this.#box.style.setProperty("--bp-x", `${x}px`);
  }

  /** @param {PointerEvent} event */
  #point(event) {
    if (!this.#scale || (event.target instanceof Element && event.target.closest(".bp-box"))) return;
    this.select(geometry.nearest(this.day, this.#scale, event.clientX - this.getBoundingClientRect().left));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      event.preventDefault();
      this.select(Math.min(this.day.readings.length - 1, Math.max(0, this.#at + step)));
    } else if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      this.select(event.key === "Home" ? 0 : this.day.readings.length - 1);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      this.#tell();
    } else if (event.key === "Escape") {
      this.select(-1);
      this.highlight([]);
    }
  }

  #tell() {
    if (this.#at >= 0) this.dispatchEvent(new CustomEvent("reading", { bubbles: true, detail: this.#at }));
  }
}

/** @param {number} x @param {number} y */
function cross(x, y) {
  const d = `M${x - CROSS} ${y - CROSS}L${x + CROSS} ${y + CROSS}M${x - CROSS} ${y + CROSS}L${x + CROSS} ${y - CROSS}`;
  return s("path", { class: "bp-unused", d });
}

/**
 * The reading in words.
 * @param {Day} day
 * @param {Reading} one
 */
function describe(day, one) {
  const row = (/** @type {string} */ name, /** @type {string} */ text) => {
    const element = document.createElement("div");
    element.className = name;
    element.textContent = text;
    return element;
  };
  const night = one[6] === "night" ? ` ☾` : "";
  const lines = [row("bp-when", `${geometry.clockAt(day, one[0])}${night}`)];
  if (one[1] === null) return [...lines, row("quiet", t("No pressure was measured."))];
  lines.push(row("bp-value", `${whole(one[1])}/${whole(one[2])}`));
  lines.push(row("quiet", t("mean %(mean)s · pulse %(pulse)s", { mean: whole(one[3]), pulse: whole(one[4]) })));
  if (one[5] !== "used") lines.push(row("quiet", t("not counted")));
  return lines;
}

customElements.define("pressure-chart", PressureChart);
