// Where on the paper is a finding seen? Evidence becomes frames of leads and seconds; the first is brought into sight.

/** @typedef {import("./draw.js").Evidence} Evidence */
/** @typedef {import("./projection.js").Page} Page */

const LEAST_S = 0.12; // a frame narrower than a QRS is a line

/**
 * Evidence as it is framed; without an end it reaches to the end of the recording.
 * @param {{leads?: string[], start_s?: number | null, end_s?: number | null}[]} evidence
 * @param {number} whole_s
 * @returns {Evidence[]}
 */
export function framesOf(evidence, whole_s) {
  return evidence.map(({ leads, start_s, end_s }) => {
    const from = start_s ?? 0;
    return { leads: leads ?? [], start_s: from, end_s: Math.max(end_s ?? whole_s, from + LEAST_S) };
  });
}

/**
 * The first lane that shows this frame.
 * @param {Page} page
 * @param {Evidence} frame
 */
export function laneOf(page, frame) {
  return page.lanes.find(
    (lane) =>
      (!frame.leads.length || frame.leads.includes(lane.name)) && frame.start_s < lane.to_s && frame.end_s > lane.from_s,
  );
}
