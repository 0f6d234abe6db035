// A recording is shown whole or not at all.
import assert from "node:assert/strict";
import test from "node:test";
import { decode, isFlat, load, median, RecordingError } from "../../ecg_center/web/static/js/viewer/data.js";

const header = (changes = {}) => ({
  sampling_hz: 500,
  n_samples: 4,
  leads: [
    { name: "I", uv_per_lsb: 2.5, baseline: 100, derived: false },
    { name: "II", uv_per_lsb: 5, baseline: 0 },
  ],
  ...changes,
});

const bytes = (...values) => {
  const view = new DataView(new ArrayBuffer(values.length * 2));
  values.forEach((value, index) => view.setInt16(2 * index, value, true));
  return view.buffer;
};

test("samples become microvolts by scale and baseline, lead after lead, little-endian", () => {
  const { leads, duration_s } = decode(header(), bytes(100, 500, 100, -300, 1, 2, 3, -4));
  assert.deepEqual([...leads[0].uv], [0, 1000, 0, -1000]);
  assert.deepEqual([...leads[1].uv], [5, 10, 15, -20]);
  assert.equal(duration_s, 0.008);
});

test("the least value is no sample", () => {
  const { leads } = decode(header(), bytes(100, -32768, 100, 100, 0, 0, 0, 0));
  assert.deepEqual([...leads[0].uv], [0, NaN, 0, 0]);
});

test("a lead whose samples never differ is no signal", () => {
  const { leads } = decode(header(), bytes(7, 7, 7, 7, 0, 0, 1, 0));
  assert.deepEqual(leads.map((lead) => lead.flat), [true, false]);
  assert.ok(isFlat(Float32Array.of(NaN, NaN)));
  assert.ok(isFlat(Float32Array.of(NaN, 3, NaN, 3)));
});

test("too few or too many bytes are refused whole", () => {
  for (const wrong of [bytes(1, 2, 3), bytes(...Array(9).fill(0)), new ArrayBuffer(15)]) {
    assert.throws(() => decode(header(), wrong), RecordingError);
  }
});

test("another version, or a header that cannot be true, is refused", () => {
  const eight = bytes(...Array(8).fill(1));
  for (const changes of [
    { version: 2 },
    { sampling_hz: 0 },
    { sampling_hz: "500" },
    { n_samples: 1.5 },
    { n_samples: 1e9 },
    { leads: [] },
    { leads: [{ name: "I", uv_per_lsb: 0, baseline: 0 }] },
    { leads: [{ name: "I", uv_per_lsb: NaN, baseline: 0 }] },
  ]) {
    assert.throws(() => decode(header(changes), eight), RecordingError, JSON.stringify(changes));
  }
});

test("the median places a lane and ignores gaps", () => {
  assert.equal(median(Float32Array.of(5, NaN, 1, 900, 4)), 5);
  assert.equal(median(Float32Array.of(NaN)), 0);
});

test("an answer that is refused or breaks off is an error in words", async (context) => {
  for (const [answer, word] of [
    [async () => new Response("", { status: 404 }), /not there/],
    [async () => new Response("", { status: 503 }), /503/],
    [async () => { throw new TypeError("network"); }, /did not arrive whole/],
    [async (address) => (address.endsWith(".json") ? Response.json(header()) : new Response(bytes(1, 2))), /4 of 16 bytes/],
  ]) {
    context.mock.method(globalThis, "fetch", answer);
    await assert.rejects(load("/api/recordings/x/waveform"), (error) => error instanceof RecordingError && word.test(error.message));
  }
});
