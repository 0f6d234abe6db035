// What callipers read, the median beat, time left, and how often a region is refreshed.
import assert from "node:assert/strict";
import test from "node:test";
import { duration, stage } from "../../ecg_center/web/static/js/countdown.js";
import { coalesce, pause } from "../../ecg_center/web/static/js/live.js";
import { t, tn } from "../../ecg_center/web/static/js/texts.js";
import { medianBeats } from "../../ecg_center/web/static/js/viewer/beats.js";
import { calliper, reading } from "../../ecg_center/web/static/js/viewer/tools.js";

test("callipers read milliseconds, rate and millivolts", () => {
  assert.equal(reading(1, 1.812, 0, 540), "812 ms · 74/min · 0.54 mV");
  assert.equal(reading(2, 1.9, 100, -150), "100 ms · −0.25 mV");
});

test("callipers keep to the seconds that their lane shows", () => {
  const lane = { name: "V1", from_s: 2.5, to_s: 5 };
  const set = calliper(lane, 2, 6, 0, 0);
  assert.deepEqual([set.from_s, set.to_s], [2.5, 5]);
});

test("the median beat drops what happens once", () => {
  const uv = new Float32Array(5000);
  const beats_s = [1, 2, 3, 4, 5, 6, 7];
  for (const beat of beats_s) uv[beat * 500] = 1000;
  uv[3 * 500 + 50] = 9999; // one artefact
  const recording = { sampling_hz: 500, n_samples: 5000, duration_s: 10, leads: [{ name: "II", uv, centre_uv: 0 }] };
  const beat = medianBeats(recording, beats_s, 0.35);
  assert.equal(beat.leads[0].uv[175], 1000);
  assert.equal(Math.max(...beat.leads[0].uv), 1000);
  assert.equal(medianBeats(recording, [0.1, 9.9], 0.35), null);
});

test("time left counts down to the second, and up after the end", () => {
  assert.equal(duration(12 * 60_000 + 5_900), "12:05");
  assert.equal(duration(3_600_000 + 62_000), "1:01:02");
  assert.equal(duration(-61_000), "01:01");
});

test("a deadline runs, warns, is breached, and is met in time or late", () => {
  const [warn, due] = [20_000, 30_000];
  assert.equal(stage(19_999, due, warn, null), "running");
  assert.equal(stage(20_000, due, warn, null), "warn");
  assert.equal(stage(30_000, due, warn, null), "warn");
  assert.equal(stage(30_001, due, warn, null), "breached");
  assert.equal(stage(99_000, due, warn, 30_000), "done");
  assert.equal(stage(99_000, due, warn, 30_001), "late");
});

test("a burst refreshes a region at once and then once a second, the last change never lost", () => {
  let at = 0;
  const later = [];
  const calls = [];
  const clock = { now: () => at, later: (act, ms) => later.push({ due: at + ms, act }) };
  const refresh = coalesce((topic) => calls.push([topic, at]), () => 1000, clock);
  for (at = 0; at < 500; at += 10) refresh("studies");
  refresh("other");
  for (at = 1000; at <= 3000; at += 100) {
    for (const waiting of later.splice(0)) waiting.due <= at ? waiting.act() : later.push(waiting);
  }
  assert.deepEqual(calls, [["studies", 0], ["other", 500], ["studies", 1000]]);
});

test("without a catalogue the message ids themselves are read", () => {
  assert.equal(t("late by %(time)s", { time: "01:00" }), "late by 01:00");
  assert.equal(tn("%(num)d study", "%(num)d studies", 2), "2 studies");
});

test("a refresh that takes long is asked for less often, but at least every five seconds", () => {
  assert.equal(pause(40), 1000);
  assert.equal(pause(250), 2000);
  assert.equal(pause(9000), 5000);
});
