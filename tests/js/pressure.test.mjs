// The geometry of the chart of a day of blood pressures.

import assert from "node:assert/strict";
import test from "node:test";

import * as geometry from "../../ecg_center/web/static/js/pressure/scale.js";

const day = {
  clock: 8 * 60,
  minutes: 1440,
  readings: [
    [0, 150, 95, 113, 72, "used", "day"],
    [30, 134, 84, null, null, "used", "day"],
    [60, 250, 120, null, 90, "outlier", "day"],
    [90, null, null, null, null, "failed", "day"],
    [900, 119.5, 69, null, 55, "used", "night"],
    [1440, 120, 70, null, 60, "used", "between"],
  ],
  nights: [[840, 1320]],
  limits: { day: [135, 85], night: [120, 70] },
};

test("a pressure stands between the lines above and below it, and the day from edge to edge", () => {
  const scale = geometry.scaleOf(day, 800);
  assert.equal(scale.x(0), geometry.LEFT);
  assert.equal(scale.x(1440), 800 - geometry.RIGHT);
  assert.ok(scale.top > 250 && scale.top % 20 === 0);
  assert.ok(scale.bottom < 69 && scale.bottom % 20 === 0);
  assert.equal(scale.y(scale.top), geometry.TOP);
  assert.equal(scale.y(scale.bottom), geometry.TOP + geometry.PRESSURE_HEIGHT);
  assert.deepEqual([geometry.levels(scale)[0], geometry.levels(scale).at(-1)], [scale.bottom, scale.top]);
  assert.ok(scale.pulse_low <= 55 && scale.pulse_high >= 72);
});

test("hours are written as far apart as their words need", () => {
  assert.deepEqual(geometry.hours(day, 1300).slice(0, 3), [
    { minute: 0, text: "08:00" },
    { minute: 60, text: "09:00" },
    { minute: 120, text: "10:00" },
  ]);
  const narrow = geometry.hours(day, 380);
  assert.ok(narrow.length <= 8);
  assert.equal(narrow[0].text, "08:00");
  assert.equal(geometry.hours({ ...day, clock: 8 * 60 + 20 }, 1300)[0].text, "09:00");
});

test("of several days midnight is written as its date, and a time has its day", () => {
  const two = { ...day, minutes: 2880, dates: ["03-02", "03-03", "03-04"] };
  const found = geometry.hours(two, 1300);
  assert.deepEqual(found.filter((one) => one.text.includes("-")), [
    { minute: 960, text: "03-03" },
    { minute: 2400, text: "03-04" },
  ]);
  assert.equal(geometry.clockAt(two, 0), "03-02 08:00");
  assert.equal(geometry.clockAt(two, 960), "03-03 00:00");
  assert.equal(geometry.clockAt({ ...day, dates: [] }, 960), "00:00");
});

test("day and night take turns", () => {
  assert.deepEqual(geometry.stretches(day), [
    { from: 0, to: 840, period: "day" },
    { from: 840, to: 1320, period: "night" },
    { from: 1320, to: 1440, period: "day" },
  ]);
  assert.deepEqual(geometry.stretches({ ...day, nights: [] }), [{ from: 0, to: 1440, period: "day" }]);
  assert.deepEqual(geometry.stretches({ ...day, nights: [[-60, 30]] })[0], { from: 0, to: 30, period: "night" });
});

test("a line leaves a gap open and passes what is not counted", () => {
  const scale = geometry.scaleOf(day, 800);
  const path = geometry.line(day, scale, (one) => one[1], scale.y);
  assert.equal((path.match(/M/g) ?? []).length, 3); // 8:00 to 8:30, 23:00 alone, 8:00 alone
  assert.equal((path.match(/L/g) ?? []).length, 1);
});

test("too high is by the limit of the time of day, as printed", () => {
  assert.deepEqual(
    day.readings.map((one) => geometry.isHigh(day, one)),
    [[true, true], [false, false], [true, true], [false, false], [true, false], [false, false]],
  );
  assert.deepEqual(geometry.isHigh({ ...day, limits: {} }, day.readings[0]), [false, false]);
});

test("the nearest reading and its clock", () => {
  const scale = geometry.scaleOf(day, 800);
  assert.equal(geometry.nearest(day, scale, scale.x(880)), 4);
  assert.equal(geometry.clockAt(day, 900), "23:00");
  assert.equal(geometry.clockAt(day, 1440), "08:00");
});

test("what lies above a limit is cut out of the surface below the line", () => {
  const scale = geometry.scaleOf(day, 800);
  const surface = geometry.surface(day, scale, (one) => one[1]);
  assert.equal((surface.match(/M/g) ?? []).length, 3);
  assert.equal((surface.match(/Z/g) ?? []).length, 3);
  assert.ok(surface.startsWith(`M${geometry.LEFT.toFixed(1)} ${geometry.TOP + geometry.PRESSURE_HEIGHT}L`));
  const above = geometry.above(day, scale, 0);
  assert.equal((above.match(/Z/g) ?? []).length, 3); // day, night, day
  assert.ok(above.includes(`V${scale.y(120).toFixed(1)}`));
  assert.equal(geometry.above({ ...day, limits: {} }, scale, 1), "");
});
