// True millimetres, and no peak lost.
import assert from "node:assert/strict";
import test from "node:test";
import {
  arrange,
  autoGain,
  decimate,
  laneAt,
  layPage,
  mmToTime,
  mmToUv,
  NOMINAL_PX_PER_MM,
  pointsNeeded,
  STANDARD_LEADS,
  timeToMm,
  uvToMm,
} from "../../ecg_center/web/static/js/viewer/projection.js";

const page = (changes = {}) =>
  layPage({
    layout: "12x1",
    recorded: STANDARD_LEADS,
    rhythm: ["II"],
    single: "",
    duration_s: 10,
    speed: 25,
    room_mm: 180,
    reach: { gain: 10, of: () => ({ up_uv: 800, down_uv: 500 }) },
    ...changes,
  });

test("a second is 25 mm and 94.49 px, a millivolt 10 mm and 37.80 px at 96 px an inch", () => {
  const lane = page().lanes[0];
  const second = timeToMm(lane, 1, 25) - timeToMm(lane, 0, 25);
  const millivolt = uvToMm(lane, 0, 10) - uvToMm(lane, 1000, 10);
  assert.equal(second, 25);
  assert.equal(millivolt, 10);
  assert.equal((second * NOMINAL_PX_PER_MM).toFixed(2), "94.49");
  assert.equal((millivolt * NOMINAL_PX_PER_MM).toFixed(2), "37.80");
});

test("millimetres and seconds, millimetres and microvolts lead back to each other", () => {
  for (const speed of [12.5, 25, 50]) {
    for (const lane of page({ speed, layout: "3x4" }).lanes) {
      const middle = (lane.from_s + lane.to_s) / 2;
      assert.ok(Math.abs(mmToTime(lane, timeToMm(lane, middle, speed), speed) - middle) < 1e-9);
      assert.ok(Math.abs(mmToUv(lane, uvToMm(lane, -430, 20), 20) + 430) < 1e-9);
    }
  }
});

test("columns show consecutive seconds, each lead once, the rhythm strip all of them", () => {
  const { lanes } = page({ layout: "3x4" });
  assert.deepEqual(lanes.filter((lane) => !lane.rhythm).map((lane) => lane.name), STANDARD_LEADS);
  assert.deepEqual([lanes[0].from_s, lanes[3].from_s, lanes[11].to_s], [0, 2.5, 10]);
  const strip = lanes.at(-1);
  assert.deepEqual([strip.name, strip.rhythm, strip.from_s, strip.to_s], ["II", true, 0, 10]);
});

test("a lead that was not recorded keeps its place and has no samples", () => {
  const { lanes } = page({ recorded: STANDARD_LEADS.filter((name) => name !== "V3") });
  assert.equal(lanes.length, 12);
  assert.equal(lanes.find((lane) => lane.name === "V3").lead, -1);
});

test("further leads follow the twelve; a recorder of other leads shows just its own", () => {
  assert.deepEqual(arrange("12x1", [...STANDARD_LEADS, "V7", "V8"], [], "").columns[0].slice(-2), ["V7", "V8"]);
  assert.deepEqual(arrange("12x1", ["CM5", "CC5"], [], "").columns, [["CM5", "CC5"]]);
});

test("every zero line stands on a grid line and rows keep an even distance", () => {
  for (const room_mm of [120, 151, 177.3, 240]) {
    const zeros = page({ room_mm }).lanes.map((lane) => lane.zero_mm);
    assert.ok(zeros.every(Number.isInteger));
    const gaps = new Set(zeros.slice(1).map((zero, index) => zero - zeros[index]));
    assert.equal(gaps.size, 1);
  }
});

test("nothing of the first row is cut off at the top, nothing of the last at the bottom", () => {
  for (const gain of [5, 10, 20]) {
    const of = (name) => ({ up_uv: name === "I" ? 2600 : 500, down_uv: name === "V6" ? 1900 : 500 });
    const { lanes, height_mm, pulses } = page({ reach: { gain, of } });
    assert.ok(lanes[0].zero_mm - 2.6 * gain >= 0 && pulses[0].zero_mm - gain >= 0);
    assert.ok(lanes.at(-1).zero_mm + 1.9 * gain <= height_mm);
  }
});

test("the lane at a point is the nearest row within its seconds", () => {
  const laid = page({ layout: "6x2" });
  const v2 = laid.lanes.find((lane) => lane.name === "V2");
  assert.equal(laneAt(laid, v2.x_mm + 20, v2.zero_mm + 2), v2);
  assert.equal(laneAt(laid, laid.width_mm + 50, v2.zero_mm), null);
});

test("the gain by itself is the largest that keeps to the rows", () => {
  assert.equal(autoGain([400], 14), 20);
  assert.equal(autoGain([1500], 14), 10);
  assert.equal(autoGain([3200], 14), 5);
  assert.equal(autoGain([90_000], 14), 5);
});

/** Draw points back into the extremes of each pixel column. */
function columns(xs, ys, count) {
  const found = new Map();
  for (let i = 0; i < count; i++) {
    if (Number.isNaN(ys[i])) continue;
    const column = Math.floor(xs[i]);
    const at = found.get(column) ?? { low: Infinity, high: -Infinity };
    found.set(column, { low: Math.min(at.low, ys[i]), high: Math.max(at.high, ys[i]) });
  }
  return found;
}

test("decimation keeps the lowest and highest sample of every pixel column, and the first and last of all", () => {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (const dx of [0.4, 0.19, 0.05, 0.007]) {
    const samples = Float32Array.from({ length: 5000 }, () => Math.round(random() * 4000 - 2000));
    samples[1234] = 9000; // a pacing spike one sample wide
    samples[3210] = -9000;
    const needed = pointsNeeded(samples.length, dx);
    const xs = new Float32Array(needed);
    const ys = new Float32Array(needed);
    const x0 = 11.37;
    const count = decimate(samples, 0, samples.length, x0, dx, xs, ys);
    assert.ok(count <= needed);
    const drawn = columns(xs, ys, count);
    const true_columns = columns(
      Float64Array.from(samples, (_, i) => x0 + i * dx),
      samples,
      samples.length,
    );
    for (const [column, extremes] of true_columns) assert.deepEqual(drawn.get(column), extremes);
    assert.ok([...ys.subarray(0, count)].includes(9000) && [...ys.subarray(0, count)].includes(-9000));
    assert.equal(ys[0], samples[0]);
    assert.equal(ys[count - 1], samples.at(-1));
  }
});

test("at less than two samples a pixel every sample is drawn", () => {
  const samples = Float32Array.of(1, 2, 3, NaN, 5);
  const xs = new Float32Array(5);
  const ys = new Float32Array(5);
  assert.equal(decimate(samples, 0, 5, 0, 0.8, xs, ys), 5);
  assert.deepEqual([...ys], [1, 2, 3, NaN, 5]);
});

test("a gap breaks the line, however narrow it is on the screen", () => {
  const samples = new Float32Array(1000).fill(10);
  samples.fill(NaN, 400, 403);
  const xs = new Float32Array(pointsNeeded(1000, 0.1));
  const ys = new Float32Array(xs.length);
  const count = decimate(samples, 0, 1000, 0, 0.1, xs, ys);
  assert.ok([...ys.subarray(0, count)].some(Number.isNaN));
});
