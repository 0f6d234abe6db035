// What do all pictures of a day share? A canvas as large as its element in device pixels, and the page's colours.

/**
 * Size the canvas to its element; returns null where there is no room to draw.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width CSS pixels
 * @param {number} height
 */
export function sized(canvas, width, height) {
  const dpr = window.devicePixelRatio || 1;
  const w = Math.round(width * dpr);
  const h = Math.round(height * dpr);
  if (w < 2 || h < 2) return null;
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const ctx = canvas.getContext("2d", { alpha: false });
  if (!ctx) return null;
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  return ctx;
}

/**
 * @typedef {object} Palette
 * @property {string} paper
 * @property {string} line
 * @property {string} text
 * @property {string} quiet
 * @property {string} accent
 * @property {string} rate
 * @property {string} band
 * @property {string} noise
 * @property {string} af
 * @property {string} cursor
 * @property {Record<string, string>} label
 * @property {string} font
 */

/** The colours of the pictures, from the style sheet. @param {Element} element @returns {Palette} */
export function paletteOf(element) {
  const style = getComputedStyle(element);
  const of = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    paper: of("--surface"),
    line: of("--line"),
    text: of("--text"),
    quiet: of("--text-2"),
    accent: of("--accent"),
    rate: of("--day-rate"),
    band: of("--day-band"),
    noise: of("--day-noise"),
    af: of("--day-af"),
    cursor: of("--day-cursor"),
    label: Object.fromEntries("NSVFPQ".split("").map((label) => [label, of(`--beat-${label.toLowerCase()}`)])),
    font: style.fontFamily,
  };
}

/** Runs at most once a frame. @param {() => void} act */
export function onceAFrame(act) {
  let frame = 0;
  return () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(act);
  };
}

/**
 * A step for an axis: 1, 2 or 5 times a power of ten, so that there are at most `most` of them.
 * @param {number} span @param {number} most
 */
export function niceStep(span, most) {
  const raw = span / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((m) => m * power).find((step) => step >= raw) ?? 10 * power;
}

const TIME_STEPS_S = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400];

/** A step for an axis of time. @param {number} span_s @param {number} most */
export function timeStep(span_s, most) {
  return TIME_STEPS_S.find((step) => span_s / step <= most) ?? 7 * 86400;
}
