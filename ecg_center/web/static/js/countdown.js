// How much time is left? `<time-left due="…" warn="…" met="…">` ticks by the centre's clock; its stage is a word and a
// colour, and a breach counts on upwards so that nobody forgets it.

import { now } from "./clock.js";
import { t, tn } from "./texts.js";

/** @typedef {"running" | "warn" | "breached" | "done" | "late"} Stage */

/**
 * `12:05`, `1:12:05` from an hour on.
 * @param {number} span_ms
 */
export function duration(span_ms) {
  const total = Math.floor(Math.abs(span_ms) / 1000);
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor(total / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${two(minutes)}:${two(total % 60)}`;
}

/**
 * How a deadline stands.
 * @param {number} at_ms
 * @param {number} due_ms
 * @param {number} warn_ms
 * @param {number | null} met_ms
 * @returns {Stage}
 */
export function stage(at_ms, due_ms, warn_ms, met_ms) {
  if (met_ms !== null) return met_ms <= due_ms ? "done" : "late";
  if (at_ms > due_ms) return "breached";
  return at_ms >= warn_ms ? "warn" : "running";
}

const TICK_MS = 1000;
/** @type {Set<TimeLeft>} */
const ticking = new Set();
let timer = 0;

function tick() {
  for (const chip of ticking) chip.show();
}

export class TimeLeft extends (globalThis.HTMLElement ?? Object) {
  connectedCallback() {
    ticking.add(this);
    this.show();
    if (!timer) timer = window.setInterval(tick, TICK_MS);
  }

  disconnectedCallback() {
    ticking.delete(this);
    if (!ticking.size) {
      window.clearInterval(timer);
      timer = 0;
    }
  }

  show() {
    const due = Date.parse(this.getAttribute("due") ?? "");
    const warn = Date.parse(this.getAttribute("warn") ?? "");
    const met = Date.parse(this.getAttribute("met") ?? "");
    const text = this.querySelector(".left");
    if (!text || Number.isNaN(due)) return;
    const at = now();
    const is = stage(at, due, Number.isNaN(warn) ? due : warn, Number.isNaN(met) ? null : met);
    const words = {
      running: () => duration(due - at),
      warn: () => duration(due - at),
      breached: () => t("overdue %(time)s", { time: duration(at - due) }),
      done: () => t("in time"),
      late: () => t("late by %(time)s", { time: duration(met - due) }),
    };
    if (this.dataset.stage !== is) this.dataset.stage = is;
    const said = words[is]();
    if (text.textContent !== said) text.textContent = said;
  }
}

/**
 * `3 minutes`, `2 h 5 min`, `4 days`: whole minutes, at least one.
 * @param {number} span_ms
 */
export function spanWords(span_ms) {
  const minutes = Math.max(1, Math.floor(span_ms / 60_000));
  if (minutes < 60) return tn("%(num)d minute", "%(num)d minutes", minutes);
  if (minutes < 48 * 60) return t("%(hours)d h %(minutes)d min", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
  return tn("%(num)d day", "%(num)d days", Math.floor(minutes / (24 * 60)));
}

/** `<time-since since="…">`: how long something lasts, in words. */
export class TimeSince extends TimeLeft {
  show() {
    const since = Date.parse(this.getAttribute("since") ?? "");
    const said = Number.isNaN(since) ? "" : spanWords(now() - since);
    if (said && this.textContent !== said) this.textContent = said;
  }
}

if (globalThis.customElements && !customElements.get("time-since")) customElements.define("time-since", TimeSince);
if (globalThis.customElements && !customElements.get("time-left")) customElements.define("time-left", TimeLeft);
