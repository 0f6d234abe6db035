// What happened? A list of as many as twenty thousand, the gravest first or in order of time, filtered by kind; J and K go
// from one to the next.

import { h } from "../dom.js";
import { t, tn } from "../texts.js";
import { byImportance, figureOf, KINDS, nameOf, toneOf } from "./kinds.js";

/** @typedef {import("./kinds.js").HolterEvent} HolterEvent */

const ROW_PX = 40;
const SPARE_ROWS = 8;
const NEAR_S = 0.01;
const QUIET = new Set(["noise", "lead_off"]);

export class EventList {
  /** @type {HolterEvent[]} */ #all = [];
  /** @type {HolterEvent[]} */ #shown = [];
  /** @type {Set<string>} kinds that are listed; empty: all but noise */ #chosen = new Set();
  #at = -1;
  #select = h("select", { "aria-label": t("Kind of event"), onchange: () => this.#choose(this.#select.value) });
  #by_time = h("button", { type: "button", class: "button small", "aria-pressed": "false", onclick: () => this.#order() }, t("By time"));
  /** @type {number[]} */ #critical_s = [];
  #count = h("span", { class: "quiet small" });
  #rows = h("div", { class: "events-rows" });
  #box = h("div", { class: "events-box", onscroll: () => this.#fill() }, this.#rows);
  element = h("section", { class: "day-events", "aria-label": t("Events") }, h("header", {}, this.#select, h("div", {}, this.#count, this.#by_time)), this.#box);
  #clock;
  #go;

  /** @param {import("./time.js").Clock} clock @param {(event: HolterEvent) => void} go */
  constructor(clock, go) {
    this.#clock = clock;
    this.#go = go;
    this.#rows.addEventListener("click", (event) => {
      const row = event.target instanceof Element ? event.target.closest("[data-at]") : null;
      if (row instanceof HTMLElement) this.take(Number(row.dataset.at));
    });
    new ResizeObserver(() => this.#fill()).observe(this.#box);
  }

  /** The event that is looked at. */
  get current() {
    return this.#shown[this.#at] ?? null;
  }

  /**
   * New findings: the place in the list is kept by its time.
   * @param {HolterEvent[]} events @param {number[]} [critical_s] when the evidence of critical values begins
   */
  set(events, critical_s = []) {
    const before = this.current;
    this.#all = events;
    this.#critical_s = critical_s;
    this.#offer();
    this.#filter();
    this.#at = before ? this.#shown.findIndex((event) => event.kind === before.kind && Math.abs(event.start_s - before.start_s) < NEAR_S) : -1;
    this.#fill();
  }

  #offer() {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { kind } of this.#all) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const told = this.#all.filter(({ kind }) => !QUIET.has(kind)).length;
    const chosen = this.#select.value;
    this.#select.replaceChildren(
      h("option", { value: "" }, t("All events (%(n)s)", { n: told })),
      ...Object.keys(KINDS)
        .filter((kind) => counts.has(kind))
        .map((kind) => h("option", { value: kind }, `${nameOf(kind)} (${counts.get(kind)})`)),
    );
    this.#select.value = [...this.#select.options].some((option) => option.value === chosen) ? chosen : "";
    if (this.#select.value !== chosen) this.#chosen.clear();
  }

  /** @param {string} kind */
  #choose(kind) {
    const before = this.current;
    this.#chosen = new Set(kind ? [kind] : []);
    this.#filter();
    this.#at = before ? this.#shown.indexOf(before) : -1;
    this.#box.scrollTop = 0;
    this.#fill();
    if (this.#at < 0 && this.#shown.length) this.take(0);
  }

  /** List this kind alone and go to its first. @param {string} kind */
  choose(kind) {
    this.#select.value = kind;
    this.#choose(this.#select.value);
  }

  /** In order of time, or the gravest first again. */
  #order() {
    const before = this.current;
    this.#by_time.ariaPressed = String(this.#by_time.ariaPressed !== "true");
    this.#filter();
    this.#at = before ? this.#shown.indexOf(before) : -1;
    this.#box.scrollTop = Math.max(0, this.#at) * ROW_PX;
    this.#fill();
  }

  #filter() {
    const listed = this.#all.filter(({ kind }) => (this.#chosen.size ? this.#chosen.has(kind) : !QUIET.has(kind)));
    this.#shown = this.#by_time.ariaPressed === "true" ? listed : byImportance(listed, this.#critical_s);
    this.#rows.style.height = `${this.#shown.length * ROW_PX}px`;
    this.#count.textContent = this.#chosen.size ? "" : tn("%(num)d event", "%(num)d events", this.#shown.length);
  }

  /** The rows that are in sight, and a few beyond. */
  #fill() {
    const first = Math.max(0, Math.floor(this.#box.scrollTop / ROW_PX) - SPARE_ROWS);
    const last = Math.min(this.#shown.length, first + Math.ceil(this.#box.clientHeight / ROW_PX) + 2 * SPARE_ROWS);
    const rows = [];
    for (let i = first; i < last; i++) rows.push(this.#row(this.#shown[i], i));
    if (!this.#shown.length) rows.push(h("p", { class: "quiet small" }, t("No such event")));
    this.#rows.replaceChildren(...rows);
  }

  /** @param {HolterEvent} event @param {number} i */
  #row(event, i) {
    const row = h(
      "button",
      { type: "button", class: `event ${toneOf(event.kind)}`, "data-at": i, "aria-current": i === this.#at ? "true" : null, tabindex: -1 },
      h("time", {}, this.#clock.at(event.start_s)),
      h("span", { class: "name" }, nameOf(event.kind)),
      h("span", { class: "figure" }, figureOf(event)),
    );
    row.style.top = `${i * ROW_PX}px`;
    return row;
  }

  /** Look at one event of the list. @param {number} i */
  take(i) {
    if (!this.#shown[i]) return;
    this.#at = i;
    const top = i * ROW_PX;
    const box = this.#box;
    if (top < box.scrollTop || top + ROW_PX > box.scrollTop + box.clientHeight) box.scrollTop = top - box.clientHeight / 3;
    this.#fill();
    this.#go(this.#shown[i]);
  }

  /**
   * The next or the previous event; from wherever the strip is, where none of the list is looked at.
   * @param {1 | -1} step @param {number} at_s
   */
  step(step, at_s) {
    if (this.#at >= 0) return this.take(Math.min(this.#shown.length - 1, Math.max(0, this.#at + step)));
    const beside = this.#shown.filter((event) => (step > 0 ? event.start_s > at_s : event.start_s < at_s));
    if (!beside.length) return;
    const nearest = beside.reduce((best, event) => (Math.abs(event.start_s - at_s) < Math.abs(best.start_s - at_s) ? event : best));
    this.take(this.#shown.indexOf(nearest));
  }

  /** Nothing of the list is looked at any more: the strip went elsewhere. */
  leave() {
    if (this.#at < 0) return;
    this.#at = -1;
    this.#fill();
  }
}
