// Any second of a day: blocks are joined without a seam, clocks read both ways, an overview says what is missing.
import assert from "node:assert/strict";
import test from "node:test";
import { chartsOf } from "../../ecg_center/web/static/js/holter/charts.js";
import { niceStep, timeStep } from "../../ecg_center/web/static/js/holter/canvas.js";
import { editWords } from "../../ecg_center/web/static/js/holter/editing.js";
import { byImportance, figureOf, KINDS, labelOf, nameOf, toneOf } from "../../ecg_center/web/static/js/holter/kinds.js";
import { joined, Kept, pairsOf } from "../../ecg_center/web/static/js/holter/source.js";
import { Clock, span } from "../../ecg_center/web/static/js/holter/time.js";

const block = (from, n) => ({
  sampling_hz: 250,
  n_samples: n,
  duration_s: n / 250,
  filters: [],
  started_at: "",
  demo: false,
  leads: ["II", "V5"].map((name, row) => ({
    name,
    derived: false,
    uv: Float32Array.from({ length: n }, (_, i) => (row + 1) * 1000 + from + i),
    centre_uv: 0,
    flat: false,
  })),
});

test("blocks are joined without a seam", () => {
  const whole = joined([block(7500, 7500), block(15000, 7500), block(22500, 100)], 7500, 14998, 22510);
  assert.equal(whole.n_samples, 22510 - 14998);
  assert.deepEqual([...whole.leads[0].uv.slice(0, 4)], [15998, 15999, 16000, 16001]);
  assert.equal(whole.leads[1].uv.at(-1), 2000 + 22509);
  whole.leads[0].uv.forEach((value, i) => assert.equal(value, 1000 + 14998 + i));
});

test("an overview is microvolts, and a column of nothing is a gap", () => {
  const bytes = new ArrayBuffer(12);
  const view = new DataView(bytes);
  [-100, 200, 32767, -32768, 0, 0].forEach((value, i) => view.setInt16(2 * i, value, true));
  const made = pairsOf(bytes, { uv_per_lsb: 2.5, baseline: 20 }, 3);
  assert.deepEqual([made.low[0], made.high[0]], [-300, 450]);
  assert.ok(Number.isNaN(made.low[1]) && Number.isNaN(made.high[1]));
  assert.throws(() => pairsOf(bytes, { uv_per_lsb: 1, baseline: 0 }, 4), /bytes/);
});

test("what was asked for lately is kept, a failure is not", async () => {
  const kept = new Kept(2);
  let made = 0;
  const make = async () => ++made;
  assert.equal(await kept.get("a", make), 1);
  assert.equal(await kept.get("a", make), 1);
  await kept.get("b", make);
  await kept.get("c", make);
  assert.equal(await kept.get("a", make), 4);
  await assert.rejects(kept.get("d", async () => Promise.reject(new Error("cut"))));
  assert.equal(await kept.get("d", make), 5);
});

test("the clock is China's, and days are counted", () => {
  const clock = new Clock("2026-07-12T15:30:10Z"); // 23:30:10 in China
  assert.equal(clock.at(0), "23:30:10");
  assert.equal(clock.at(1790), "D2 00:00:00");
  assert.equal(clock.short(1790), "00:00");
  assert.equal(clock.day(86400 + 1790), 3);
  assert.equal(clock.firstHour(), 1790);
  assert.equal(new Clock(null).at(3725.9), "01:02:05");
  assert.deepEqual([3600, 10800, 86400, 172800].map((step_s) => clock.firstTick(step_s)), [1790, 1790, 1790, 1790]);
  const morning = new Clock("2026-07-12T02:16:46Z"); // 10:16:46
  assert.equal(morning.tick(morning.firstTick(10800)), "12:00");
  assert.deepEqual([0, 1, 13].map((day) => morning.tick(morning.firstTick(86400) + day * 86400)), ["D2", "D3", "D15"]);
});

test("a typed time is the first such moment, or that of the day it names", () => {
  const clock = new Clock("2026-07-12T15:30:10Z");
  const day = 3 * 86400;
  assert.equal(clock.parse("00:00", 0, day), 1790);
  assert.equal(clock.parse("23:30:20", 0, day), 10);
  assert.equal(clock.parse("23:30", 0, day), 86400 - 10);
  assert.equal(clock.parse("D3 00:00", 0, day), 86400 + 1790);
  assert.equal(clock.parse("1:00", 5000, day), 1790 + 3600);
  assert.equal(clock.parse("tomorrow", 0, day), null);
  assert.equal(clock.parse("D9 00:00", 0, day), null);
  assert.equal(new Clock(null).parse("1:02:05", 0, day), 3725);
});

test("every kind has a name and a tone, and means its own beats", () => {
  for (const kind of Object.keys(KINDS)) {
    assert.notEqual(nameOf(kind), kind);
    assert.ok(["danger", "warn", "neutral"].includes(toneOf(kind)));
  }
  assert.deepEqual(["v_run", "vt", "svt", "s_single", "af", "pause"].map(labelOf), ["V", "V", "S", "S", "", ""]);
  const event = { kind: "st_depression", start_s: 0, end_s: 60, beats: 0, rate_bpm: null, leads: ["V5"], value: -0.153, quantity: "st_mv", text: "" };
  assert.equal(figureOf(event), "−0.15 mV · V5");
  assert.equal(figureOf({ ...event, kind: "pause", leads: [], value: 3120.4, quantity: "rr_ms" }), "3.12 s");
  assert.equal(figureOf({ ...event, kind: "pause", beats: 2, rate_bpm: 19, leads: [], value: 3120.4, quantity: "rr_ms" }), "3.12 s");
  assert.equal(figureOf({ ...event, kind: "r_on_t", beats: 2, leads: [], value: -14, quantity: "before_t_summit_ms" }), "14 ms after the top of T");
});

test("an edit is said in words", () => {
  const clock = new Clock(null);
  assert.equal(editWords({ action: "relabel_beats", at_s: [61, 62], label: "V" }, clock), "Beats named V · 2 × 00:01:01");
  assert.equal(editWords({ action: "exclude", start_s: 0, end_s: 60 }, clock), "Stretch left out · 00:00:00 – 00:01:00");
  assert.equal(editWords({ action: "undo", undoes: 4 }, clock), "Change 5 undone");
});

test("axes have few and round steps", () => {
  assert.equal(niceStep(0.83, 4), 0.5);
  assert.equal(niceStep(900, 4), 500);
  assert.equal(timeStep(86400, 20), 2 * 3600);
  assert.equal(timeStep(300, 6), 60);
});

test("the courses of findings without any are empty, not wrong", () => {
  const holter = { events: [], hours: [], hrv: [], st: [], qt: { times_s: [], qt_ms: [], qtc_ms: [] } };
  for (const chart of chartsOf(holter)) assert.ok(chart.series.every(({ values }) => values.length === 0));
  assert.deepEqual([span(4.26), span(75), span(7800)], ["4.3 s", "1:15 min", "2 h 10 min"]);
});

test("the gravest events come first, then those of a kind in order of time", () => {
  const event = (kind, start_s) => ({ kind, start_s, end_s: start_s + 1, beats: 1, rate_bpm: null, leads: [], value: null, quantity: "", text: "" });
  const list = [event("v_single", 1), event("noise", 2), event("pause", 3), event("v_single", 4), event("vt", 5), event("pause", 6), event("s_single", 7)];
  assert.deepEqual(byImportance(list).map(({ start_s }) => start_s), [5, 3, 6, 1, 4, 7, 2]);
  assert.deepEqual(byImportance(list, [6]).map(({ start_s }) => start_s), [6, 5, 3, 1, 4, 7, 2]);
});

test("an AV block is told with its type and how many P waves had no QRS", () => {
  const block = { kind: "av_block_2", start_s: 0, end_s: 9, beats: 0, rate_bpm: 47.8, leads: [], value: 4, quantity: "blocked_p", text: "mobitz_2" };
  assert.equal(figureOf(block), "48/min · 4 P without QRS · Mobitz II");
  assert.equal(figureOf({ ...block, text: "second_degree", value: 1 }), "48/min · 1 P without QRS");
});

test("T-wave alternans has a course of its own", () => {
  const holter = { events: [{ kind: "t_alternans", start_s: 60, value: 71 }, { kind: "pause", start_s: 90, value: 2100 }], hours: [], hrv: [], st: [], qt: { times_s: [], qt_ms: [], qtc_ms: [] } };
  const [chart] = chartsOf(holter).filter(({ series }) => series.some(({ values }) => values.length));
  assert.deepEqual([chart.unit, chart.series[0].times_s, chart.series[0].values], ["µV", [60], [71]]);
});
