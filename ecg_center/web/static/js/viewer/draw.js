// How does the paper get onto the canvas? Grid, traces, calibration, words and marks; no state of its own, so that the
// same input always draws the same picture.

import { t } from "../texts.js";
import { decimate, pointsNeeded, timeToMm, uvToMm } from "./projection.js";

/** @typedef {import("./projection.js").Page} Page */
/** @typedef {import("./projection.js").Lane} Lane */
/** @typedef {import("./data.js").Recording} Recording */
/** @typedef {import("./tools.js").Calliper} Calliper */
/** @typedef {{leads: string[], start_s: number, end_s: number}} Evidence */
/** @typedef {{verdict: string}} LeadQuality */

/**
 * @typedef {object} Theme colours, and the font of words on the paper
 * @property {string} outside
 * @property {string} paper
 * @property {string} minor
 * @property {string} major
 * @property {string} trace
 * @property {string} doubtful
 * @property {string} label
 * @property {string} mark
 * @property {string} evidence
 * @property {string} calliper
 * @property {string} on_calliper
 * @property {string} font
 */

/**
 * @typedef {object} Picture all that is drawn
 * @property {Recording} recording as filtered for display
 * @property {Page} page
 * @property {number} gain mm/mV
 * @property {number} scale device pixels a millimetre of paper
 * @property {number} dpr device pixels a CSS pixel
 * @property {number} left_px scrolled away, device pixels
 * @property {number} top_px
 * @property {number} width_px of the canvas
 * @property {number} height_px
 * @property {Theme} theme
 * @property {Record<string, LeadQuality>} quality by lead
 * @property {number[]} beats_s R peaks to mark
 * @property {string} beat_kinds a letter for each, N for the usual one
 * @property {{at_s: number, text: string}[]} fiducials of the median beat
 * @property {Evidence[]} evidence
 * @property {Calliper | null} calliper
 * @property {boolean} march
 */

const TRACE_CSS_PX = 1.25;
const LABEL_CSS_PX = 12.5;
const SMALL_CSS_PX = 11;
const LEAST_GRID_PX = 2.4; // device pixels a millimetre below which the 1 mm grid would be a grey smear
const GAP_WORD_S = 0.2;
const EDGE_MM = 8;
const WHOLE_LANE_ALPHA = 0.09; // a whole row framed needs no strong colour to be found

let xs = new Float32Array(4096);
let ys = new Float32Array(4096);

/**
 * Draw the whole picture.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Picture} picture
 */
export function draw(ctx, picture) {
  const { theme, width_px, height_px } = picture;
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.fillStyle = theme.outside;
  ctx.fillRect(0, 0, width_px, height_px);
  ctx.fillStyle = theme.paper;
  ctx.fillRect(0, 0, toX(picture, picture.page.width_mm), toY(picture, picture.page.height_mm));
  drawGrid(ctx, picture);
  drawEvidence(ctx, picture);
  for (const lane of picture.page.lanes) drawLane(ctx, picture, lane);
  drawPulses(ctx, picture);
  drawBeats(ctx, picture);
  drawFiducials(ctx, picture);
  for (const lane of picture.page.lanes) drawLabel(ctx, picture, lane);
  if (picture.calliper) drawCalliper(ctx, picture, picture.calliper);
}

/** @param {Picture} p @param {number} x_mm */
const toX = (p, x_mm) => x_mm * p.scale - p.left_px;
/** @param {Picture} p @param {number} y_mm */
const toY = (p, y_mm) => y_mm * p.scale - p.top_px;

/** @param {CanvasRenderingContext2D} ctx @param {Picture} p */
function drawGrid(ctx, p) {
  const right_mm = Math.min(p.page.width_mm, (p.left_px + p.width_px) / p.scale);
  const bottom_mm = Math.min(p.page.height_mm, (p.top_px + p.height_px) / p.scale);
  const first_x = Math.max(0, Math.floor(p.left_px / p.scale));
  const first_y = Math.max(0, Math.floor(p.top_px / p.scale));
  const x0 = Math.max(0, toX(p, 0));
  const y0 = Math.max(0, toY(p, 0));
  const width = toX(p, right_mm) - x0;
  const height = toY(p, bottom_mm) - y0;
  for (const [every, colour, thick] of /** @type {[number, string, number][]} */ ([
    [1, p.theme.minor, 1],
    [5, p.theme.major, Math.max(1, Math.round(p.dpr))],
  ])) {
    if (every === 1 && p.scale < LEAST_GRID_PX) continue;
    ctx.fillStyle = colour;
    for (let mm = Math.ceil(first_x / every) * every; mm <= right_mm; mm += every) {
      ctx.fillRect(Math.round(toX(p, mm)), y0, thick, height);
    }
    for (let mm = Math.ceil(first_y / every) * every; mm <= bottom_mm; mm += every) {
      ctx.fillRect(x0, Math.round(toY(p, mm)), width, thick);
    }
  }
}

/** Why this lane has no trace that may be read, in words; empty where it has. @param {Picture} p @param {Lane} lane */
function trouble(p, lane) {
  if (lane.lead < 0) return t("not recorded");
  if (p.recording.leads[lane.lead].flat) return t("no signal");
  const verdict = p.quality[lane.name]?.verdict;
  if (verdict === "off") return t("lead off: not a heart signal");
  if (verdict === "unusable") return t("not usable");
  return "";
}

/** @param {CanvasRenderingContext2D} ctx @param {Picture} p @param {Lane} lane */
function drawLane(ctx, p, lane) {
  const left = toX(p, lane.x_mm);
  const right = toX(p, timeToMm(lane, lane.to_s, p.page.speed));
  if (right < 0 || left > p.width_px || toY(p, lane.top_mm + 2 * lane.height_mm) < 0) return;
  if (toY(p, lane.top_mm - lane.height_mm) > p.height_px) return;
  const word = trouble(p, lane);
  const is_empty = lane.lead < 0 || p.recording.leads[lane.lead].flat;
  if (lane.x_mm > p.page.lanes[0].x_mm) drawColumnEdge(ctx, p, lane, left);
  if (!is_empty) drawTrace(ctx, p, lane, word ? p.theme.doubtful : p.theme.trace);
  if (word) drawWords(ctx, p, lane, `${lane.name} ${word}`, Math.max(left, 0), Math.min(right, p.width_px));
}

/**
 * A short stroke where a lead begins, so that the leap from lead to lead is no deflection.
 * @param {CanvasRenderingContext2D} ctx @param {Picture} p @param {Lane} lane @param {number} x
 */
function drawColumnEdge(ctx, p, lane, x) {
  ctx.fillStyle = p.theme.label;
  const y = toY(p, lane.zero_mm - EDGE_MM / 2);
  ctx.fillRect(Math.round(x), Math.round(y), Math.max(1, Math.round(p.dpr)), EDGE_MM * p.scale);
}

/** @param {CanvasRenderingContext2D} ctx @param {Picture} p @param {Lane} lane @param {string} colour */
function drawTrace(ctx, p, lane, colour) {
  const { sampling_hz, n_samples } = p.recording;
  const lead = p.recording.leads[lane.lead];
  const dx = (p.page.speed * p.scale) / sampling_hz;
  const start_x = toX(p, lane.x_mm) - lane.from_s * sampling_hz * dx;
  const first = Math.max(0, Math.ceil(lane.from_s * sampling_hz), Math.floor(-start_x / dx) - 1);
  const last = Math.min(n_samples, Math.floor(lane.to_s * sampling_hz) + 1, Math.ceil((p.width_px - start_x) / dx) + 1);
  if (last - first < 2) return;
  const needed = pointsNeeded(last - first, dx);
  if (xs.length < needed) [xs, ys] = [new Float32Array(needed), new Float32Array(needed)];
  const count = decimate(lead.uv, first, last, start_x + first * dx, dx, xs, ys);
  const zero = toY(p, lane.zero_mm) + (lead.centre_uv / 1000) * p.gain * p.scale;
  const px_per_uv = (p.gain * p.scale) / 1000;
  ctx.strokeStyle = colour;
  ctx.lineWidth = TRACE_CSS_PX * p.dpr;
  ctx.lineJoin = "bevel";
  ctx.beginPath();
  let is_down = false;
  let gap_from = NaN;
  for (let i = 0; i < count; i++) {
    if (ys[i] !== ys[i]) {
      if (is_down || i === 0) gap_from = xs[i];
      is_down = false;
      continue;
    }
    const y = zero - ys[i] * px_per_uv;
    if (is_down) ctx.lineTo(xs[i], y);
    else {
      if (gap_from === gap_from) drawGap(ctx, p, lane, gap_from, xs[i]);
      ctx.moveTo(xs[i], y);
    }
    is_down = true;
    gap_from = NaN;
  }
  ctx.stroke();
  if (!is_down && gap_from === gap_from) drawGap(ctx, p, lane, gap_from, xs[count - 1]);
}

/**
 * Where nothing was recorded no line is drawn, and that is said.
 * @param {CanvasRenderingContext2D} ctx @param {Picture} p @param {Lane} lane @param {number} from_x @param {number} to_x
 */
function drawGap(ctx, p, lane, from_x, to_x) {
  const top = toY(p, lane.zero_mm - lane.height_mm * 0.2);
  ctx.save();
  ctx.globalAlpha = 0.35;
  ctx.fillStyle = p.theme.doubtful;
  ctx.fillRect(from_x, top, Math.max(1, to_x - from_x), lane.height_mm * 0.4 * p.scale);
  ctx.restore();
  if (to_x - from_x > GAP_WORD_S * p.page.speed * p.scale) drawWords(ctx, p, lane, t("no data"), from_x, to_x);
}

/**
 * Words in the middle of a lane, in a dashed frame.
 * @param {CanvasRenderingContext2D} ctx @param {Picture} p @param {Lane} lane
 * @param {string} text @param {number} left @param {number} right
 */
function drawWords(ctx, p, lane, text, left, right) {
  ctx.save();
  ctx.font = `600 ${LABEL_CSS_PX * p.dpr}px ${p.theme.font}`;
  const width = ctx.measureText(text).width + 12 * p.dpr;
  const height = (LABEL_CSS_PX + 7) * p.dpr;
  const x = Math.max(left, (left + right - width) / 2);
  const y = toY(p, lane.zero_mm) - height / 2;
  ctx.fillStyle = p.theme.paper;
  ctx.fillRect(x, y, width, height);
  ctx.strokeStyle = p.theme.doubtful;
  ctx.lineWidth = p.dpr;
  ctx.setLineDash([4 * p.dpr, 3 * p.dpr]);
  ctx.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  ctx.fillStyle = p.theme.label;
  ctx.textBaseline = "middle";
  ctx.fillText(text, x + 6 * p.dpr, y + height / 2);
  ctx.restore();
}

/** 1 mV for 200 ms at the head of every row. @param {CanvasRenderingContext2D} ctx @param {Picture} p */
function drawPulses(ctx, p) {
  ctx.strokeStyle = p.theme.trace;
  ctx.lineWidth = Math.max(1, Math.round(TRACE_CSS_PX * p.dpr));
  ctx.lineJoin = "miter";
  const half = ctx.lineWidth % 2 ? 0.5 : 0;
  for (const pulse of p.page.pulses) {
    const x0 = Math.round(toX(p, pulse.x_mm)) + half;
    const x1 = Math.round(toX(p, pulse.x_mm + pulse.width_mm)) + half;
    const y0 = Math.round(toY(p, pulse.zero_mm)) + half;
    const y1 = Math.round(toY(p, pulse.zero_mm - p.gain)) + half;
    const foot = Math.min(p.scale, (toX(p, 11) - x1) / 2);
    ctx.beginPath();
    ctx.moveTo(x0 - Math.max(0, foot), y0);
    ctx.lineTo(x0, y0);
    ctx.lineTo(x0, y1);
    ctx.lineTo(x1, y1);
    ctx.lineTo(x1, y0);
    ctx.lineTo(x1 + Math.max(0, foot), y0);
    ctx.stroke();
  }
}

/** The lead's name, kept in sight while its lane is. @param {CanvasRenderingContext2D} ctx @param {Picture} p @param {Lane} lane */
function drawLabel(ctx, p, lane) {
  const end = toX(p, timeToMm(lane, lane.to_s, p.page.speed));
  const start = toX(p, lane.x_mm) + 3 * p.dpr;
  const y = Math.max(toY(p, lane.top_mm) + p.scale, 2 * p.dpr);
  if (end < 30 * p.dpr || start > p.width_px || toY(p, lane.top_mm + lane.height_mm) < 14 * p.dpr) return;
  if (y > p.height_px) return;
  const lead = p.recording.leads[lane.lead];
  const text = lead?.derived ? `${lane.name}*` : lane.name;
  ctx.font = `700 ${LABEL_CSS_PX * p.dpr}px ${p.theme.font}`;
  const width = ctx.measureText(text).width;
  const x = Math.max(start, 4 * p.dpr);
  ctx.save();
  ctx.globalAlpha = 0.86;
  ctx.fillStyle = p.theme.paper;
  ctx.fillRect(x - 2 * p.dpr, y - p.dpr, width + 4 * p.dpr, (LABEL_CSS_PX + 3) * p.dpr);
  ctx.restore();
  ctx.fillStyle = p.theme.label;
  ctx.textBaseline = "top";
  ctx.fillText(text, x, y);
}

/** @param {CanvasRenderingContext2D} ctx @param {Picture} p */
function drawBeats(ctx, p) {
  if (!p.beats_s.length) return;
  ctx.save();
  ctx.fillStyle = p.theme.mark;
  ctx.font = `700 ${SMALL_CSS_PX * p.dpr}px ${p.theme.font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  const size = 4 * p.dpr;
  const bottom_row = Math.max(...p.page.lanes.map((lane) => lane.top_mm));
  for (const lane of p.page.lanes) {
    if (!lane.rhythm && lane.top_mm < bottom_row) continue;
    const y = toY(p, lane.top_mm + lane.height_mm) - size;
    for (const [number, beat] of p.beats_s.entries()) {
      if (beat < lane.from_s || beat > lane.to_s) continue;
      const x = toX(p, timeToMm(lane, beat, p.page.speed));
      ctx.beginPath();
      ctx.moveTo(x, y - size * 1.5);
      ctx.lineTo(x + size, y);
      ctx.lineTo(x - size, y);
      ctx.fill();
      const kind = p.beat_kinds[number] ?? "N";
      if (kind !== "N") ctx.fillText(kind, x, y - size * 1.8);
    }
  }
  ctx.restore();
}

/** @param {CanvasRenderingContext2D} ctx @param {Picture} p */
function drawFiducials(ctx, p) {
  if (!p.fiducials.length) return;
  ctx.save();
  ctx.strokeStyle = p.theme.mark;
  ctx.fillStyle = p.theme.mark;
  ctx.lineWidth = p.dpr;
  ctx.setLineDash([3 * p.dpr, 3 * p.dpr]);
  ctx.font = `${SMALL_CSS_PX * p.dpr}px ${p.theme.font}`;
  ctx.textBaseline = "bottom";
  const last_row = Math.max(...p.page.lanes.map((lane) => lane.top_mm));
  for (const lane of p.page.lanes) {
    const bottom = toY(p, lane.top_mm + lane.height_mm);
    for (const { at_s, text } of p.fiducials) {
      const x = Math.round(toX(p, timeToMm(lane, at_s, p.page.speed))) + 0.5;
      ctx.beginPath();
      ctx.moveTo(x, toY(p, lane.top_mm) + 16 * p.dpr);
      ctx.lineTo(x, bottom - 2);
      ctx.stroke();
      if (lane.top_mm === last_row) ctx.fillText(text, x + 2 * p.dpr, bottom - 2);
    }
  }
  ctx.restore();
}

/** @param {CanvasRenderingContext2D} ctx @param {Picture} p */
function drawEvidence(ctx, p) {
  for (const { leads, start_s, end_s } of p.evidence) {
    for (const lane of p.page.lanes) {
      if (leads.length && !leads.includes(lane.name)) continue;
      const from = Math.max(start_s, lane.from_s);
      const to = Math.min(end_s, lane.to_s);
      if (to <= from) continue;
      const x = toX(p, timeToMm(lane, from, p.page.speed));
      const width = Math.max(2, (to - from) * p.page.speed * p.scale);
      const y = toY(p, lane.top_mm + 0.5);
      const height = (lane.height_mm - 1) * p.scale;
      ctx.save();
      ctx.globalAlpha = from <= lane.from_s && to >= lane.to_s ? WHOLE_LANE_ALPHA : 0.22;
      ctx.fillStyle = p.theme.evidence;
      ctx.fillRect(x, y, width, height);
      ctx.restore();
      ctx.strokeStyle = p.theme.evidence;
      ctx.lineWidth = 1.5 * p.dpr;
      ctx.strokeRect(x, y, width, height);
    }
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {Picture} p @param {Calliper} calliper */
function drawCalliper(ctx, p, calliper) {
  const { lane } = calliper;
  const centre = lane.lead < 0 ? 0 : p.recording.leads[lane.lead].centre_uv;
  const [x0, x1] = [calliper.from_s, calliper.to_s].map((s) => toX(p, timeToMm(lane, s, p.page.speed)));
  const [y0, y1] = [calliper.from_uv, calliper.to_uv].map((uv) => toY(p, uvToMm(lane, uv - centre, p.gain)));
  const top = toY(p, lane.top_mm);
  const bottom = toY(p, lane.top_mm + lane.height_mm);
  ctx.save();
  ctx.strokeStyle = p.theme.calliper;
  ctx.lineWidth = p.dpr;
  const line = (/** @type {number} */ xa, /** @type {number} */ ya, /** @type {number} */ xb, /** @type {number} */ yb) => {
    ctx.beginPath();
    ctx.moveTo(Math.round(xa) + 0.5, Math.round(ya) + 0.5);
    ctx.lineTo(Math.round(xb) + 0.5, Math.round(yb) + 0.5);
    ctx.stroke();
  };
  ctx.save();
  ctx.globalAlpha = 0.1;
  ctx.fillStyle = p.theme.calliper;
  ctx.fillRect(Math.min(x0, x1), top, Math.abs(x1 - x0), bottom - top);
  ctx.restore();
  line(x0, top, x0, bottom);
  line(x1, top, x1, bottom);
  ctx.setLineDash([4 * p.dpr, 3 * p.dpr]);
  line(x0, y0, x1, y0);
  line(x0, y1, x1, y1);
  if (p.march && Math.abs(x1 - x0) > 6 * p.dpr) {
    const step = Math.abs(x1 - x0);
    const end = toX(p, timeToMm(lane, lane.to_s, p.page.speed));
    for (let x = Math.max(x0, x1) + step; x < end; x += step) line(x, top, x, bottom);
    const start = toX(p, lane.x_mm);
    for (let x = Math.min(x0, x1) - step; x > start; x -= step) line(x, top, x, bottom);
  }
  ctx.restore();
  drawReading(ctx, p, calliper.text, Math.max(x0, x1), top);
}

/** @param {CanvasRenderingContext2D} ctx @param {Picture} p @param {string} text @param {number} right @param {number} top */
function drawReading(ctx, p, text, right, top) {
  ctx.save();
  ctx.font = `600 ${LABEL_CSS_PX * p.dpr}px ${p.theme.font}`;
  const width = ctx.measureText(text).width + 14 * p.dpr;
  const height = (LABEL_CSS_PX + 9) * p.dpr;
  const x = Math.max(2, Math.min(right + 6 * p.dpr, p.width_px - width - 4 * p.dpr));
  const y = Math.max(2 * p.dpr, top);
  ctx.fillStyle = p.theme.calliper;
  ctx.fillRect(x, y, width, height);
  ctx.fillStyle = p.theme.on_calliper;
  ctx.textBaseline = "middle";
  ctx.fillText(text, x + 7 * p.dpr, y + height / 2);
  ctx.restore();
}
