// Where on the paper does a microvolt stand, and where on the screen? Pure arithmetic, in millimetres of paper until
// the last step, so that 25 mm/s and 10 mm/mV mean the same here, on the screen and on the printed page.

export const SPEEDS = [12.5, 25, 50]; // mm/s
export const GAINS = [5, 10, 20]; // mm/mV
export const NOMINAL_PX_PER_MM = 96 / 25.4; // CSS: 96 px make an inch
export const STANDARD_LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];

const GUTTER_MM = 11; // holds the calibration pulse: 5 mm wide at 25 mm/s
const MARGIN_MM = 2;
const HEAD_MM = 5;
const ZERO_AT = 0.55; // of a row's height: R waves reach higher than S waves deep
const CLEAR_MM = 1;
const MAX_REACH_MM = 60; // an artefact of many millivolts may leave the paper
const MEDIAN_GAP_MM = 4;
const MIN_PITCH_MM = 12;
const MAX_PITCH_MM = 34;
const PULSE_S = 0.2; // 1 mV for 200 ms, AHA/ACC/HRS 2007 part I
const AUTO_FILL = 1.35; // printed leads may reach into their neighbours' rows a little

/** @typedef {"12x1" | "6x2" | "3x4" | "median" | "single" | "day"} Layout "day": a Holter's own leads, row by row */

/**
 * @typedef {object} Lane one lead over one span of time
 * @property {string} name
 * @property {number} lead index into the recording's leads, -1 where the lead was not recorded
 * @property {boolean} rhythm a whole-length strip below the columns
 * @property {number} x_mm where `from_s` stands
 * @property {number} zero_mm the height of the lead's middle
 * @property {number} top_mm
 * @property {number} height_mm
 * @property {number} from_s
 * @property {number} to_s
 */

/**
 * @typedef {object} Page
 * @property {Lane[]} lanes
 * @property {number} width_mm
 * @property {number} height_mm
 * @property {{x_mm: number, zero_mm: number, width_mm: number}[]} pulses one a row
 * @property {number} speed mm/s
 * @property {number} pitch_mm
 */

/**
 * Which lanes a layout has, row by row.
 * @param {Layout} layout
 * @param {string[]} recorded
 * @param {string[]} rhythm
 * @param {string} single
 * @returns {{columns: string[][], strips: string[]}}
 */
export function arrange(layout, recorded, rhythm, single) {
  const is_resting = recorded.some((name) => STANDARD_LEADS.includes(name));
  const extra = recorded.filter((name) => !STANDARD_LEADS.includes(name));
  const all = is_resting ? [...STANDARD_LEADS, ...extra] : recorded;
  if (layout === "single") return { columns: [[single]], strips: [] };
  if (layout === "day") return { columns: [recorded], strips: [] };
  if (layout === "12x1") return { columns: [all], strips: [] };
  const rows = layout === "6x2" ? 6 : 3;
  const columns = [];
  for (let at = 0; at < all.length; at += rows) columns.push(all.slice(at, at + rows));
  return { columns, strips: layout === "3x4" ? rhythm.filter((name) => all.includes(name)) : [] };
}

/**
 * How far a lead reaches from its middle, and how large a millivolt is drawn: nothing of the first row may be cut off
 * at the top, nothing of the last at the bottom.
 * @typedef {object} Reach
 * @property {number} gain mm/mV
 * @property {(name: string) => {up_uv: number, down_uv: number}} of
 */

export const NO_REACH = { up_uv: 0, down_uv: 0 };

/**
 * How far a lead goes up and down from its middle.
 * @param {Float32Array} uv
 * @param {number} centre_uv
 */
export function reachOf(uv, centre_uv) {
  let [low, high] = [0, 0];
  for (const value of uv) {
    if (value - centre_uv < low) low = value - centre_uv;
    if (value - centre_uv > high) high = value - centre_uv;
  }
  return { up_uv: high, down_uv: -low };
}

/**
 * Room above the first and below the last row, for this distance of rows.
 * @param {string[]} first @param {string[]} last @param {number} pitch_mm @param {Reach} reach
 */
function margins(first, last, pitch_mm, reach) {
  const mm = (/** @type {number} */ uv) => Math.min(MAX_REACH_MM, (uv / 1000) * reach.gain);
  const up_mm = Math.max(reach.gain, ...first.map((name) => mm(reach.of(name).up_uv))); // the pulse is 1 mV high
  const down_mm = Math.max(0, ...last.map((name) => mm(reach.of(name).down_uv)));
  return {
    head_mm: Math.max(HEAD_MM, Math.ceil(up_mm - ZERO_AT * pitch_mm + CLEAR_MM)),
    foot_mm: Math.max(MARGIN_MM, Math.ceil(down_mm - (1 - ZERO_AT) * pitch_mm + CLEAR_MM)),
  };
}

/**
 * Lay one recording out.
 * @param {object} want
 * @param {Layout} want.layout
 * @param {string[]} want.recorded names of the recorded leads
 * @param {string[]} want.rhythm
 * @param {string} want.single
 * @param {number} want.duration_s
 * @param {number} want.speed
 * @param {number} want.room_mm height that the page may take
 * @param {Reach} want.reach
 * @returns {Page}
 */
export function layPage({ layout, recorded, rhythm, single, duration_s, speed, room_mm, reach }) {
  const { columns, strips } = arrange(layout, recorded, rhythm, single);
  const rows = Math.max(...columns.map((column) => column.length));
  const total_rows = rows + strips.length;
  const first = columns.map((column) => column[0]);
  const last = strips.length ? strips.slice(-1) : columns.flatMap((column) => column.slice(rows - 1));
  const max_pitch = layout === "single" ? room_mm : MAX_PITCH_MM;
  const fit = (/** @type {{head_mm: number, foot_mm: number}} */ { head_mm, foot_mm }) =>
    Math.min(max_pitch, Math.max(MIN_PITCH_MM, Math.floor((room_mm - head_mm - foot_mm) / total_rows)));
  const pitch_mm = fit(margins(first, last, fit({ head_mm: HEAD_MM, foot_mm: MARGIN_MM }), reach));
  const { head_mm, foot_mm } = margins(first, last, pitch_mm, reach);
  const column_s = layout === "median" ? duration_s : duration_s / columns.length;
  const column_mm = column_s * speed + (layout === "median" ? MEDIAN_GAP_MM : 0);
  const place = (/** @type {number} */ row) => ({
    top_mm: head_mm + row * pitch_mm,
    height_mm: pitch_mm,
    zero_mm: Math.round(head_mm + (row + ZERO_AT) * pitch_mm), // on a grid line, so that deflections can be counted
  });
  /** @type {Lane[]} */
  const lanes = [];
  columns.forEach((column, c) =>
    column.forEach((name, row) => {
      const from_s = layout === "median" ? 0 : c * column_s;
      const x_mm = GUTTER_MM + c * column_mm;
      const lead = recorded.indexOf(name);
      lanes.push({ name, lead, rhythm: false, x_mm, from_s, to_s: from_s + column_s, ...place(row) });
    }),
  );
  strips.forEach((name, index) => {
    const lead = recorded.indexOf(name);
    lanes.push({ name, lead, rhythm: true, x_mm: GUTTER_MM, from_s: 0, to_s: duration_s, ...place(rows + index) });
  });
  const width_mm = PULSE_S * speed;
  return {
    lanes,
    width_mm: GUTTER_MM + column_mm * columns.length + MARGIN_MM,
    height_mm: head_mm + total_rows * pitch_mm + foot_mm,
    pulses: Array.from({ length: total_rows }, (_, row) => ({ x_mm: 3, zero_mm: place(row).zero_mm, width_mm })),
    speed,
    pitch_mm,
  };
}

/**
 * The largest gain at which every lead keeps to its row, a little overlap allowed; 5 mm/mV where none does.
 * @param {number[]} spans_uv peak to peak of each lead
 * @param {number} pitch_mm
 */
export function autoGain(spans_uv, pitch_mm) {
  const largest_mv = Math.max(0, ...spans_uv) / 1000;
  for (const gain of [...GAINS].reverse()) if (largest_mv * gain <= pitch_mm * AUTO_FILL) return gain;
  return GAINS[0];
}

/** @param {Lane} lane @param {number} time_s @param {number} speed */
export function timeToMm(lane, time_s, speed) {
  return lane.x_mm + (time_s - lane.from_s) * speed;
}

/** @param {Lane} lane @param {number} x_mm @param {number} speed */
export function mmToTime(lane, x_mm, speed) {
  return lane.from_s + (x_mm - lane.x_mm) / speed;
}

/** @param {Lane} lane @param {number} uv above the lane's middle @param {number} gain */
export function uvToMm(lane, uv, gain) {
  return lane.zero_mm - (uv / 1000) * gain;
}

/** @param {Lane} lane @param {number} y_mm @param {number} gain */
export function mmToUv(lane, y_mm, gain) {
  return ((lane.zero_mm - y_mm) / gain) * 1000;
}

/**
 * The lane at a point of the paper: the nearest row, within the lane's seconds.
 * @param {Page} page
 * @param {number} x_mm
 * @param {number} y_mm
 * @returns {Lane | null}
 */
export function laneAt(page, x_mm, y_mm) {
  let nearest = null;
  let distance = Infinity;
  for (const lane of page.lanes) {
    const end_mm = timeToMm(lane, lane.to_s, page.speed);
    if (x_mm < lane.x_mm - 0.5 || x_mm > end_mm + 0.5) continue;
    const away = Math.abs(y_mm - lane.zero_mm);
    if (away < distance) [nearest, distance] = [lane, away];
  }
  return nearest;
}

/**
 * The samples as few points as the screen can show, and not one peak less: of every pixel column the first, lowest,
 * highest and last sample, in their order (M4: Jugel et al., PVLDB 2014;7:797, doi:10.14778/2732951.2732953).
 *
 * Returns the number of points written; `xs` in pixels, `ys` in the samples' unit, NaN where the line breaks.
 * @param {Float32Array} samples
 * @param {number} from first sample
 * @param {number} to one past the last
 * @param {number} x0 pixel of sample `from`
 * @param {number} dx pixels a sample
 * @param {Float32Array} xs room for `pointsNeeded`
 * @param {Float32Array} ys
 */
export function decimate(samples, from, to, x0, dx, xs, ys) {
  let count = 0;
  if (dx >= 0.5) {
    for (let i = from; i < to; i++) {
      xs[count] = x0 + (i - from) * dx;
      ys[count++] = samples[i];
    }
    return count;
  }
  let i = from;
  while (i < to) {
    const column = Math.floor(x0 + (i - from) * dx);
    const first = i;
    let low = -1;
    let high = -1;
    let has_gap = false;
    for (; i < to && Math.floor(x0 + (i - from) * dx) === column; i++) {
      const value = samples[i];
      if (value !== value) has_gap = true;
      else {
        if (low < 0 || value < samples[low]) low = i;
        if (high < 0 || value > samples[high]) high = i;
      }
    }
    const kept = low < 0 ? [first] : [first, Math.min(low, high), Math.max(low, high), i - 1];
    let before = -1;
    for (const at of kept) {
      if (at === before) continue;
      // Lowest and highest stand in the column's middle: a spike one sample wide is a full stroke, not two pale ones.
      xs[count] = at === low || at === high ? column + 0.5 : x0 + (at - from) * dx;
      ys[count++] = samples[at];
      before = at;
    }
    if (has_gap && low >= 0) {
      xs[count] = column + 1;
      ys[count++] = NaN;
    }
  }
  return count;
}

/** How many points `decimate` may write. @param {number} n_samples @param {number} dx */
export function pointsNeeded(n_samples, dx) {
  return dx >= 0.5 ? n_samples : Math.ceil(n_samples * dx + 2) * 5;
}
