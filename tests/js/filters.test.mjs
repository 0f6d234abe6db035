// Filters smooth what they name, leave the rest, and shift nothing in time.
import assert from "node:assert/strict";
import test from "node:test";
import { applyFilters, AS_RECORDED, isAsRecorded, USUAL } from "../../ecg_center/web/static/js/viewer/filters.js";

const HZ = 500;
const sine = (hz, seconds = 10, uv = 1000) =>
  Float32Array.from({ length: HZ * seconds }, (_, i) => uv * Math.sin((2 * Math.PI * hz * i) / HZ));
const only = (changes) => ({ ...AS_RECORDED, ...changes });

/** Amplitude of the middle against the input's. */
function passed(hz, set) {
  const out = applyFilters(sine(hz), HZ, set).subarray(HZ * 3, HZ * 7);
  return Math.sqrt(out.reduce((sum, x) => sum + x * x, 0) / out.length) / (1000 / Math.SQRT2);
}

test("as recorded is the very same samples", () => {
  const samples = sine(3);
  assert.ok(isAsRecorded(AS_RECORDED) && !isAsRecorded(USUAL));
  assert.equal(applyFilters(samples, HZ, AS_RECORDED), samples);
});

test("corners stand at -3 dB after both passes", () => {
  for (const lowpass_hz of [35, 40]) assert.ok(Math.abs(passed(lowpass_hz, only({ lowpass_hz })) - Math.SQRT1_2) < 0.02);
  assert.ok(Math.abs(passed(0.5, only({ highpass_hz: 0.5 })) - Math.SQRT1_2) < 0.05);
});

test("mains goes, its neighbours stay", () => {
  assert.ok(passed(50, only({ notch_hz: 50 })) < 0.02);
  assert.ok(passed(40, only({ notch_hz: 50 })) > 0.97);
  assert.ok(passed(10, USUAL) > 0.97);
});

test("no phase: a pulse's peak stays on its sample", () => {
  const pulse = Float32Array.from({ length: 5000 }, (_, i) => 1000 * Math.exp(-(((i - 2500) / 12) ** 2)));
  const out = applyFilters(pulse, HZ, USUAL);
  assert.equal(out.indexOf(Math.max(...out)), 2500);
});

test("a constant offset goes with the baseline and stays without it", () => {
  const flat = new Float32Array(2000).fill(3000);
  assert.ok(Math.abs(applyFilters(flat, HZ, only({ highpass_hz: 0.5 }))[1000]) < 1);
  assert.ok(Math.abs(applyFilters(flat, HZ, only({ lowpass_hz: 40 }))[0] - 3000) < 0.5);
});

test("gaps stay gaps and do not leak", () => {
  const samples = sine(5);
  samples.fill(NaN, 2000, 2100);
  samples[2100] = 1e6;
  const out = applyFilters(samples, HZ, USUAL);
  assert.ok(Number.isNaN(out[2050]) && !Number.isNaN(out[1999]) && !Number.isNaN(out[2100]));
  assert.ok(Math.abs(out[1900]) < 1500);
});

test("a recorder slower than the filter is left alone by it", () => {
  const slow = Float32Array.from({ length: 300 }, (_, i) => i % 7);
  assert.equal(applyFilters(slow, 60, only({ lowpass_hz: 40, notch_hz: 50 })), slow);
});
