// How does what the viewer shows get onto the canvas? The canvas is as large as the stage, whatever the paper's size:
// it draws the part that is scrolled to.

import { fiducialsOf } from "./beats.js";
import { draw } from "./draw.js";
import { themeOf } from "./theme.js";

/** @typedef {import("./viewer.js").EcgViewer} EcgViewer */

/**
 * Draw the viewer's page now.
 * @param {EcgViewer} viewer
 * @param {HTMLElement} stage
 * @param {HTMLCanvasElement} canvas
 * @returns {number} milliseconds that it took
 */
export function paint(viewer, stage, canvas) {
  const ctx = canvas.getContext("2d", { alpha: false });
  const { shown, page, dpr, findings } = viewer;
  if (!ctx || !shown || !page) return 0;
  const start = performance.now();
  const width_px = Math.max(1, Math.round(stage.clientWidth * dpr));
  const height_px = Math.max(1, Math.round(stage.clientHeight * dpr));
  if (canvas.width !== width_px || canvas.height !== height_px) {
    canvas.width = width_px;
    canvas.height = height_px;
    canvas.style.width = `${stage.clientWidth}px`;
    canvas.style.height = `${stage.clientHeight}px`;
  }
  const isMedian = viewer.isMedian;
  draw(ctx, {
    recording: shown,
    page,
    gain: viewer.gain,
    scale: viewer.pxPerMm * dpr,
    dpr,
    left_px: stage.scrollLeft * dpr,
    top_px: stage.scrollTop * dpr,
    width_px,
    height_px,
    theme: themeOf(viewer),
    quality: Object.fromEntries((findings?.quality?.leads ?? []).map((q) => [q.lead, q])),
    beats_s: viewer.marksOn && !isMedian ? (findings?.beats_s ?? []) : [],
    beat_kinds: findings?.beat_kinds ?? "",
    fiducials: viewer.marksOn && isMedian ? fiducialsOf(findings) : [],
    evidence: isMedian ? [] : viewer.evidence,
    calliper: viewer.calliper,
    march: viewer.march,
  });
  return performance.now() - start;
}
