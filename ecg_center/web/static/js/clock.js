// What time is it at the centre? A clinic's computer may be minutes wrong; time left is counted by the centre's clock.

let offset_ms = 0;
let known = false;

/** The centre's time, milliseconds since 1970. */
export function now() {
  return Date.now() + offset_ms;
}

/**
 * Learn the centre's time from what it just said. The answer was under way for a moment, so the centre's clock is ahead
 * of what it said: the largest offset heard is the closest to the truth.
 * @param {number} said_ms
 * @param {number} [resolution_ms] an HTTP Date has whole seconds: it may be up to that much later than said
 */
export function learn(said_ms, resolution_ms = 0) {
  if (!Number.isFinite(said_ms)) return;
  const heard = said_ms - Date.now();
  const is_better = heard > offset_ms || heard + resolution_ms < offset_ms - 2000;
  if (!known || is_better) {
    offset_ms = heard;
    known = true;
  }
}

/** @param {number} instant_ms @returns {string} `14:05:09` in clinic time */
export function clockTime(instant_ms) {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone: "Asia/Shanghai",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).format(instant_ms);
}
