// Where on the chart stands a pressure at a minute? Pure geometry, in pixels from the chart's upper left corner.

/**
 * One reading as the page has it: minutes from the first reading, systolic, diastolic, mean, pulse, state, period.
 * @typedef {[number, number | null, number | null, number | null, number | null, string, string]} Reading
 */
/**
 * What the chart is told (ecg_center/web/pressure.py).
 * @typedef {{clock: number, minutes: number, readings: Reading[], nights: [number, number][],
 *   limits: Record<string, [number, number]>, dates?: string[]}} Day
 * ``dates``: of each day of the calendar, where there is more than one day of readings.
 */

export const LEFT = 40;
export const RIGHT = 34;
export const TOP = 26;
export const PRESSURE_HEIGHT = 250;
export const BETWEEN = 34;
export const PULSE_HEIGHT = 62;
export const AXIS = 24;
export const HEIGHT = TOP + PRESSURE_HEIGHT + BETWEEN + PULSE_HEIGHT + AXIS;
export const GAP_MINUTES = 125; // beyond this no line is drawn: an hour's plan with one reading lost is still one

const STEP = 20;
const LOWEST = 40;
const LEAST_TOP = 160;
const PULSE_STEP = 20;
const HOUR_WIDTHS = [1, 2, 3, 4, 6, 8, 12, 24];
const LEAST_LABEL = 46;

/** @param {number} value @param {number} step */
const down = (value, step) => Math.floor(value / step) * step;

/**
 * The scale of a chart that is so wide.
 * @param {Day} day
 * @param {number} width
 */
export function scaleOf(day, width) {
  const shown = day.readings.filter((one) => one[1] !== null);
  const highest = Math.max(LEAST_TOP, ...shown.map((one) => one[1] ?? 0));
  const lowest = Math.min(LOWEST + STEP, ...shown.map((one) => one[2] ?? LOWEST + STEP));
  const top = down(highest, STEP) + STEP;
  const bottom = Math.max(0, down(lowest - 1, STEP));
  const pulses = day.readings.flatMap((one) => (one[4] === null || one[5] !== "used" ? [] : [one[4]]));
  const pulse_low = down(Math.min(60, ...pulses), PULSE_STEP);
  const pulse_high = Math.max(pulse_low + 2 * PULSE_STEP, down(Math.max(80, ...pulses) - 1, PULSE_STEP) + PULSE_STEP);
  const inner = Math.max(1, width - LEFT - RIGHT);
  const whole = Math.max(1, day.minutes);
  const pulse_top = TOP + PRESSURE_HEIGHT + BETWEEN;
  return {
    width,
    top,
    bottom,
    pulse_low,
    pulse_high,
    /** @param {number} minute */
    x: (minute) => LEFT + (minute / whole) * inner,
    /** @param {number} pressure */
    y: (pressure) => TOP + ((top - pressure) / (top - bottom)) * PRESSURE_HEIGHT,
    /** @param {number} pulse */
    y_pulse: (pulse) => pulse_top + ((pulse_high - pulse) / (pulse_high - pulse_low)) * PULSE_HEIGHT,
  };
}

/** @typedef {ReturnType<typeof scaleOf>} Scale */

/** The pressures that get a line across. @param {Scale} scale */
export function levels(scale) {
  const found = [];
  for (let level = scale.bottom; level <= scale.top; level += STEP) found.push(level);
  return found;
}

/**
 * The full hours that are written below, as far apart as their words need.
 * @param {Day} day
 * @param {number} width
 * @returns {{minute: number, text: string}[]}
 */
export function hours(day, width) {
  const per_hour = ((width - LEFT - RIGHT) / Math.max(60, day.minutes)) * 60;
  const every = HOUR_WIDTHS.find((one) => one * per_hour >= LEAST_LABEL) ?? 24;
  const found = [];
  const first = Math.ceil(day.clock / 60 / every) * every;
  for (let hour = first; hour * 60 - day.clock <= day.minutes; hour += every) {
    const date = hour % 24 === 0 ? day.dates?.[hour / 24] : undefined;
    found.push({ minute: hour * 60 - day.clock, text: date ?? `${String(hour % 24).padStart(2, "0")}:00` });
  }
  return found;
}

/**
 * The stretches over which one pair of limits holds: day and night in turn.
 * @param {Day} day
 * @returns {{from: number, to: number, period: string}[]}
 */
export function stretches(day) {
  const found = [];
  let at = 0;
  for (const [start, end] of [...day.nights].sort((a, b) => a[0] - b[0])) {
    const from = Math.max(0, start);
    const to = Math.min(day.minutes, end);
    if (to <= from) continue;
    if (from > at) found.push({ from: at, to: from, period: "day" });
    found.push({ from, to, period: "night" });
    at = to;
  }
  if (at < day.minutes) found.push({ from: at, to: day.minutes, period: "day" });
  return found;
}

/**
 * The line through one value of the readings that are used; a gap is left open.
 * @param {Day} day
 * @param {Scale} scale
 * @param {(one: Reading) => number | null} value
 * @param {(value: number) => number} y
 */
export function line(day, scale, value, y) {
  let path = "";
  let before = -Infinity;
  for (const one of day.readings) {
    const found = value(one);
    if (one[5] !== "used" || found === null) continue;
    path += `${one[0] - before > GAP_MINUTES ? "M" : "L"}${scale.x(one[0]).toFixed(1)} ${y(found).toFixed(1)}`;
    before = one[0];
  }
  return path;
}

/**
 * The surface below the line through one value, stretch by stretch, for what lies above a limit to be cut out of it.
 * @param {Day} day
 * @param {Scale} scale
 * @param {(one: Reading) => number | null} value
 */
export function surface(day, scale, value) {
  const bottom = TOP + PRESSURE_HEIGHT;
  return line(day, scale, value, scale.y)
    .split("M")
    .slice(1)
    .map((part) => {
      const points = part.split("L");
      const [first, last] = [points[0].split(" ")[0], points[points.length - 1].split(" ")[0]];
      return `M${first} ${bottom}L${points.join("L")}L${last} ${bottom}Z`;
    })
    .join("");
}

/**
 * What lies above the limits of day and night: one rectangle a stretch, as a path.
 * @param {Day} day
 * @param {Scale} scale
 * @param {0 | 1} which systolic or diastolic
 */
export function above(day, scale, which) {
  return stretches(day)
    .filter((one) => day.limits[one.period])
    .map(({ from, to, period }) => {
      const [x, end, y] = [scale.x(from), scale.x(to), scale.y(day.limits[period][which])];
      return `M${x.toFixed(1)} ${TOP}H${end.toFixed(1)}V${y.toFixed(1)}H${x.toFixed(1)}Z`;
    })
    .join("");
}

/**
 * Whether systolic and diastolic reach the limit of their time of day.
 * @param {Day} day
 * @param {Reading} one
 * @returns {[boolean, boolean]}
 */
export function isHigh(day, one) {
  const limits = day.limits[one[6]];
  if (!limits || one[6] === "between") return [false, false];
  const reaches = (/** @type {number | null} */ value, /** @type {number} */ limit) =>
    value !== null && Math.floor(value + 0.5) >= limit;
  return [reaches(one[1], limits[0]), reaches(one[2], limits[1])];
}

/**
 * The reading nearest to this place.
 * @param {Day} day
 * @param {Scale} scale
 * @param {number} x
 */
export function nearest(day, scale, x) {
  let best = -1;
  for (const [index, one] of day.readings.entries()) {
    if (best < 0 || Math.abs(scale.x(one[0]) - x) < Math.abs(scale.x(day.readings[best][0]) - x)) best = index;
  }
  return best;
}

/** The clock at a minute, e.g. `22:10`, with the date where there are several. @param {Day} day @param {number} minute */
export function clockAt(day, minute) {
  const since = Math.round(day.clock + minute);
  const whole = since % 1440;
  const date = day.dates?.[Math.floor(since / 1440)];
  return `${date ? `${date} ` : ""}${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
}
