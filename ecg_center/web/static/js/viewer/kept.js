// What does this browser keep between two recordings? The layout alone: speed, gain and filters begin as they should.

/** @typedef {import("./projection.js").Layout} Layout */

const LAYOUT_KEY = "ecg.layout";
/** @type {Layout[]} */
const LAYOUTS = ["12x1", "6x2", "3x4"];

/** @returns {Layout} */
export function keptLayout() {
  try {
    const kept = /** @type {Layout} */ (localStorage.getItem(LAYOUT_KEY));
    if (LAYOUTS.includes(kept)) return kept;
  } catch {
    // storage switched off
  }
  return "12x1";
}

/** @param {Layout} layout */
export function keepLayout(layout) {
  try {
    localStorage.setItem(LAYOUT_KEY, layout);
  } catch {
    // storage switched off
  }
}
