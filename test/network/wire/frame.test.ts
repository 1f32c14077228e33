import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "../../../src/base/crc32.ts";
import { Random } from "../../../src/base/random.ts";
import { decodeFrame, encodeFrame, FRAME_TYPE, HEADER_BYTES } from "../../../src/network/wire/frame.ts";
import type { Frame, FrameType } from "../../../src/network/wire/frame.ts";
import { PROTOCOL_VERSION } from "../../../src/network/wire/messages.ts";

const SEED = 20_260_101;

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const half = fc.integer({ min: 0, max: 0xffff });
const frames: fc.Arbitrary<Frame> = fc.record({
  type: fc.constantFrom(...(Object.keys(FRAME_TYPE) as FrameType[])),
  incarnation: word,
  epoch: word,
  group: half,
  operation: word,
  message: half,
  chunk: half,
  chunks: half,
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array(bytes)),
});

test("a frame survives the wire", () => {
  fc.assert(
    fc.property(frames, (frame) => {
      expect(decodeFrame(encodeFrame(frame)).ok).toEqual(frame);
    }),
    { seed: SEED },
  );
});

test("a frame whose bytes changed in one place is refused", () => {
  fc.assert(
    fc.property(frames, fc.nat(), fc.integer({ min: 1, max: 255 }), (frame, place, flip) => {
      const bytes = encodeFrame(frame);
      const at = place % bytes.byteLength;
      bytes[at] = (bytes[at] as number) ^ flip;
      expect(decodeFrame(bytes).ok).toBeUndefined();
    }),
    { seed: SEED },
  );
});

test("a truncated or prolonged frame is refused for its length", () => {
  const bytes = encodeFrame(sample());
  for (let length = 0; length < bytes.byteLength; length++) {
    expect(decodeFrame(bytes.slice(0, length)).error?.kind).toBe("length");
  }
  const longer = new Uint8Array(bytes.byteLength + 1);
  longer.set(bytes);
  expect(decodeFrame(longer).error?.kind).toBe("length");
});

test("a frame of another protocol version is told apart, and both versions are named", () => {
  const bytes = encodeFrame(sample());
  new DataView(bytes.buffer).setUint16(4, PROTOCOL_VERSION + 6, true);
  const { error } = decodeFrame(bytes);
  expect(error?.kind).toBe("version");
  expect(error?.message).toContain(`${PROTOCOL_VERSION}`);
  expect(error?.message).toContain(`${PROTOCOL_VERSION + 6}`);
});

test("a frame of an unknown type is refused though its checksum fits", () => {
  const bytes = encodeFrame(sample());
  bytes[6] = 99;
  const view = new DataView(bytes.buffer);
  view.setUint32(32, crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, 32))), true);
  expect(decodeFrame(bytes).error?.kind).toBe("type");
});

test("100,000 hostile frames decode to faults and never throw", () => {
  const random = new Random(SEED, "hostile frames");
  const whole = encodeFrame(sample());
  const kinds: Record<string, number> = {};
  for (let count = 0; count < 100_000; count++) {
    const bytes = count % 2 === 0 ? noise(random, random.below(90)) : mutated(random, whole);
    const { ok, error } = decodeFrame(bytes);
    expect(ok).toBeUndefined();
    const kind = error?.kind ?? "none";
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  // The mutations reach every check but the type's, which lies behind the checksum.
  expect(Object.keys(kinds).sort()).toEqual(["checksum", "length", "magic", "version"]);
});

test("a payload length that promises gigabytes allocates nothing", () => {
  const bytes = encodeFrame(sample());
  new DataView(bytes.buffer).setUint32(28, 0xffff_ffff, true);
  expect(decodeFrame(bytes).error?.kind).toBe("length");
});

function sample(): Frame {
  const payload = Uint8Array.from({ length: 40 }, (_, index) => index * 7);
  return {
    type: "data",
    incarnation: 3,
    epoch: 14,
    group: 5,
    operation: 159,
    message: 1,
    chunk: 2,
    chunks: 6,
    payload,
  };
}

function noise(random: Random, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => random.below(256));
}

/** `whole` with one to three bytes changed, or cut. */
function mutated(random: Random, whole: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(whole);
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = random.below(bytes.byteLength);
    bytes[at] = ((whole[at] as number) + 1 + random.below(255)) & 0xff;
  }
  return random.below(4) === 0 ? bytes.slice(0, random.below(bytes.byteLength)) : bytes;
}
