// Which key does what on the paper? Only while the paper has the focus, so that a typed report is never a command.

import { calliper, showHelp } from "./tools.js";

/** @typedef {import("./viewer.js").EcgViewer} EcgViewer */

const SCROLL_PX = 60;
const FINE_S = 0.004; // a sample at 250 Hz
const FINE_UV = 25;

/** @type {Record<string, (viewer: EcgViewer) => void>} */
const KEYS = {
  "1": (viewer) => viewer.setLayout("12x1"),
  "2": (viewer) => viewer.setLayout("6x2"),
  "3": (viewer) => viewer.setLayout("3x4"),
  "4": (viewer) => viewer.setLayout("median"),
  "+": (viewer) => viewer.stepGain(1),
  "=": (viewer) => viewer.stepGain(1),
  "-": (viewer) => viewer.stepGain(-1),
  "[": (viewer) => viewer.stepSpeed(-1),
  "]": (viewer) => viewer.stepSpeed(1),
  "【": (viewer) => viewer.stepSpeed(-1), // the same keys while a Chinese input method is on
  "】": (viewer) => viewer.stepSpeed(1),
  "0": (viewer) => viewer.setZoom(1),
  a: (viewer) => viewer.setGain("auto"),
  f: (viewer) => viewer.toggleFilters(),
  c: (viewer) => viewer.toggleCallipers(),
  r: (viewer) => viewer.toggleMarch(),
  m: (viewer) => viewer.toggleMarks(),
  "?": () => showHelp(),
  "？": () => showHelp(),
};

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Act on a key.
 * @param {EcgViewer} viewer
 * @param {KeyboardEvent} event
 * @returns {boolean} whether it meant something
 */
export function press(viewer, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === "Escape") return viewer.escape();
  if (event.key === "Enter") return enter(viewer);
  const arrow = ARROWS[event.key];
  if (arrow) return arrows(viewer, arrow, event.shiftKey);
  const act = KEYS[event.key.toLowerCase()];
  if (!act) return false;
  act(viewer);
  return true;
}

/** @param {EcgViewer} viewer */
function enter(viewer) {
  if (viewer.isSingle) {
    viewer.closeSingle();
    return true;
  }
  const lane = viewer.calliper?.lane ?? viewer.page?.lanes[0];
  if (lane) viewer.openSingle(lane.name, viewer.calliper?.from_s);
  return true;
}

/** @param {EcgViewer} viewer @param {[number, number]} arrow @param {boolean} both */
function arrows(viewer, [x, y], both) {
  const set = viewer.callipersOn ? viewer.calliper : null;
  if (set) {
    const [ds, duv] = [x * FINE_S, -y * FINE_UV];
    const [from_s, from_uv] = both ? [set.from_s + ds, set.from_uv + duv] : [set.from_s, set.from_uv];
    viewer.setCalliper(calliper(set.lane, from_s, set.to_s + ds, from_uv, set.to_uv + duv), true);
  } else if (viewer.isSingle && y) {
    viewer.stepSingle(y > 0 ? 1 : -1);
  } else {
    viewer.scrollStage(x * SCROLL_PX, y * SCROLL_PX);
  }
  return true;
}
