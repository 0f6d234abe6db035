// What does a moment of a day read as? The clock where the recorder knew it, else the time since the start.

const ZONE = "Asia/Shanghai";
const clock = new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortClock = new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, hour: "2-digit", minute: "2-digit" });
const dayOf = new Intl.DateTimeFormat("en-CA", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" });

/** @param {number} total_s */
function elapsed(total_s) {
  const s = Math.max(0, Math.floor(total_s));
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

export class Clock {
  #start_ms;
  /** Whether the recorder knew the time. */ known;
  #first_day;

  /** @param {string | null | undefined} started_at */
  constructor(started_at) {
    this.#start_ms = Date.parse(started_at ?? "");
    this.known = !Number.isNaN(this.#start_ms);
    this.#first_day = this.known ? dayOf.format(this.#start_ms) : "";
  }

  /** Which day of the recording, counted from 1. @param {number} at_s */
  day(at_s) {
    if (!this.known) return Math.floor(at_s / 86400) + 1;
    const midnight = (/** @type {string} */ day) => Date.parse(`${day}T00:00:00Z`);
    return Math.round((midnight(dayOf.format(this.#start_ms + at_s * 1000)) - midnight(this.#first_day)) / 86_400_000) + 1;
  }

  /** `03:12:05`; from the second day on `D2 03:12:05`. @param {number} at_s */
  at(at_s) {
    if (!this.known) return elapsed(at_s);
    const day = this.day(at_s);
    return `${day > 1 ? `D${day} ` : ""}${clock.format(this.#start_ms + at_s * 1000)}`;
  }

  /** `03:12`. @param {number} at_s */
  short(at_s) {
    return this.known ? shortClock.format(this.#start_ms + at_s * 1000) : elapsed(at_s).slice(0, 5);
  }

  /** Seconds from the start to the first full hour of the clock. */
  firstHour() {
    if (!this.known) return 0;
    const past_ms = this.#start_ms % 3_600_000; // China's hours are full hours of UTC
    return past_ms ? (3_600_000 - past_ms) / 1000 : 0;
  }

  /**
   * Where an axis of time begins: at a full hour of the clock that divides its step, 00:00, 03:00 … rather than so many
   * hours after whenever the recording began.
   * @param {number} step_s
   */
  firstTick(step_s) {
    let first = this.firstHour();
    while (step_s > 3600 && first < step_s && Number(this.short(first).slice(0, 2)) % (step_s / 3600)) first += 3600;
    return first;
  }

  /** What an axis writes: `03:00`, and at midnight the day, `D2`. @param {number} at_s */
  tick(at_s) {
    const text = this.short(at_s);
    return this.known && text === "00:00" && this.day(at_s) > 1 ? `D${this.day(at_s)}` : text;
  }

  /**
   * The moment that a typed time names: `3:12`, `03:12:05`, `D2 3:12`; the first one at or after `from_s`.
   * @param {string} text
   * @param {number} from_s
   * @param {number} duration_s
   * @returns {number | null}
   */
  parse(text, from_s, duration_s) {
    const match = /^\s*(?:d\s*(\d+)\s+)?(\d{1,3}):(\d{1,2})(?::(\d{1,2}))?\s*$/i.exec(text);
    if (!match) return null;
    const wanted_s = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
    let at_s = wanted_s;
    if (this.known) {
      const [h, m, s] = clock.format(this.#start_ms).split(":").map(Number);
      const begun_s = h * 3600 + m * 60 + s;
      at_s = wanted_s - begun_s;
      if (match[1]) at_s += (Number(match[1]) - 1) * 86400;
      else {
        while (at_s < 0) at_s += 86400;
        while (at_s < from_s && at_s + 86400 < duration_s) at_s += 86400;
      }
    } else if (match[1]) at_s += (Number(match[1]) - 1) * 86400;
    return at_s >= 0 && at_s <= duration_s ? at_s : null;
  }
}

/** `12 s`, `3:05 min`, `2 h 10 min`. @param {number} span_s */
export function span(span_s) {
  if (span_s < 60) return `${span_s < 10 ? span_s.toFixed(1) : Math.round(span_s)} s`;
  const minutes = Math.floor(span_s / 60);
  if (minutes < 60) return `${minutes}:${String(Math.round(span_s % 60)).padStart(2, "0")} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
