// How does a page stay true without reloading, and say so when it cannot?
//
// The centre's stream carries two events: `change` with `{"topics": ["studies", …]}` (`all`: news may have been missed), and
// `beat` with `{"now": "…"}` every few seconds. It begins with what the page cannot show: `<body data-live="/live?since=…">`
// says when the page was drawn, and after a cut the browser says what it heard last. A topic becomes the DOM event
// `live:<topic>` on the body, for htmx: `hx-trigger="live:studies from:body"`. A burst of changes refreshes a region once
// a second at the most, and less often where a refresh takes long: a worklist of thousands must not keep its centre, or
// this page, busy with itself.

import { clockTime, learn, now } from "./clock.js";
import { t } from "./texts.js";

export const SILENT_MS = 15_000;
export const COALESCE_MS = 1_000;
export const COALESCE_MOST_MS = 5_000;
const REST = 8; // a page spends at most a ninth of its time on refreshing
const REOPEN_MS = 5_000;

/**
 * Lets a call through at once, and then at most once in `every_ms`, the last one never lost.
 * @param {(topic: string) => void} act
 * @param {() => number} every_ms
 * @param {{now: () => number, later: (act: () => void, ms: number) => void}} clock
 * @returns {(topic: string) => void}
 */
export function coalesce(act, every_ms, clock) {
  /** @type {Map<string, number>} */
  const last = new Map();
  /** @type {Set<string>} */
  const waiting = new Set();
  return (topic) => {
    if (waiting.has(topic)) return;
    const since = clock.now() - (last.get(topic) ?? -Infinity);
    const run = () => {
      waiting.delete(topic);
      last.set(topic, clock.now());
      act(topic);
    };
    const every = every_ms();
    if (since >= every) {
      run();
    } else {
      waiting.add(topic);
      clock.later(run, every - since);
    }
  };
}

/**
 * How often to refresh, by how long the last refresh took from its request to its picture.
 * @param {number} took_ms
 */
export function pause(took_ms) {
  return Math.min(COALESCE_MOST_MS, Math.max(COALESCE_MS, REST * took_ms));
}

/** Measure what refreshes cost. @returns {() => number} milliseconds between two of them */
function pauseByCost() {
  let took_ms = 0;
  /** @type {WeakMap<object, number>} */
  const begun = new WeakMap();
  const xhrOf = (/** @type {Event} */ event) => /** @type {CustomEvent<{xhr: XMLHttpRequest}>} */ (event).detail.xhr;
  document.body.addEventListener("htmx:beforeSend", (event) => begun.set(xhrOf(event), performance.now()));
  document.body.addEventListener("htmx:afterSettle", (event) => {
    const start = begun.get(xhrOf(event));
    if (start !== undefined) took_ms = performance.now() - start;
  });
  return () => pause(took_ms);
}

/** Every topic that some region of this page listens to. */
function topicsOfPage() {
  /** @type {Set<string>} */
  const topics = new Set();
  for (const region of document.querySelectorAll("[hx-trigger*='live:']")) {
    for (const found of (region.getAttribute("hx-trigger") ?? "").matchAll(/live:([\w-]+)/g)) topics.add(found[1]);
  }
  return topics;
}

/** Open the stream that the body names. @param {string} address */
export function listen(address) {
  const banner = document.getElementById("live-lost");
  let heard_ms = now();
  let lost = false;
  /** @type {EventSource | null} */
  let source = null;
  let opened_ms = 0;

  const refresh = coalesce(
    (topic) => document.body.dispatchEvent(new CustomEvent(`live:${topic}`)),
    pauseByCost(),
    { now: () => performance.now(), later: (act, ms) => void window.setTimeout(act, ms) },
  );

  const hear = () => {
    heard_ms = now();
    if (!lost) return;
    lost = false;
    if (banner) banner.hidden = true;
    for (const topic of topicsOfPage()) refresh(topic); // what changed meanwhile was not heard
  };

  const open = () => {
    source?.close();
    opened_ms = performance.now();
    source = new EventSource(address);
    source.addEventListener("beat", (event) => {
      hear();
      learn(Date.parse(JSON.parse(event.data).now));
    });
    source.addEventListener("change", (event) => {
      hear();
      const topics = /** @type {string[]} */ (JSON.parse(event.data).topics);
      for (const topic of topics.includes("all") ? topicsOfPage() : topics) refresh(topic);
    });
  };

  const watch = () => {
    if (now() - heard_ms <= SILENT_MS) return;
    if (!lost && banner) {
      banner.textContent = t("Connection lost. What you see is of %(time)s; it will catch up by itself.", {
        time: clockTime(heard_ms),
      });
      banner.hidden = false;
    }
    lost = true;
    // The browser retries by itself unless the stream was refused outright (a proxy's 502, a restart): then it gives up.
    if (source?.readyState === EventSource.CLOSED && performance.now() - opened_ms > REOPEN_MS) open();
  };

  open();
  const timer = window.setInterval(watch, 1000);
  window.addEventListener("pagehide", () => {
    window.clearInterval(timer);
    source?.close();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
}
