/** Inputs for readers: good files, changed at random places. The same ones for the same seed. */
import type { Bytes } from "../../src/base/bytes.ts";
import { concatBytes } from "../../src/base/bytes.ts";
import type { Random } from "../../src/base/random.ts";

/** Numbers at which readers break. */
const EDGES = [0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 2 ** 40, 2 ** 53, 2 ** 60];

/** `bytes` with one to four changes. */
export function mutateBytes(bytes: Bytes, random: Random): Bytes {
  let out = bytes.slice();
  for (let changes = 1 + random.below(4); changes > 0; changes--) out = changeOnce(out, random);
  return out;
}

/** Bytes without any plan. */
export function randomBytes(random: Random, lengthMax: number): Bytes {
  return Uint8Array.from({ length: random.below(lengthMax + 1) }, () => random.below(256));
}

function changeOnce(bytes: Bytes, random: Random): Bytes {
  const at = random.below(bytes.length + 1);
  const count = Math.min(bytes.length - at, random.below(9));
  switch (random.below(7)) {
    case 0: {
      const out = bytes.slice();
      if (at < out.length) out[at] = (out[at] ?? 0) ^ (1 << random.below(8));
      return out;
    }
    case 1: {
      const out = bytes.slice();
      if (at < out.length) out[at] = random.below(256);
      return out;
    }
    case 2:
      return bytes.slice(0, at);
    case 3:
      return concatBytes([bytes.subarray(0, at), bytes.subarray(at + count)]);
    case 4:
      return concatBytes([bytes.subarray(0, at), randomBytes(random, 8), bytes.subarray(at)]);
    case 5:
      return concatBytes([bytes.subarray(0, at + count), bytes.subarray(at)]);
    default: {
      const out = bytes.slice();
      const edge = new DataView(new ArrayBuffer(8));
      edge.setBigUint64(0, BigInt(random.pick(EDGES)), random.below(2) === 0);
      const size = random.pick([1, 2, 4, 8]);
      for (let i = 0; i < size && at + i < out.length; i++) out[at + i] = edge.getUint8(i);
      return out;
    }
  }
}

/** Values that JSON may have where others are expected. */
const STRANGE: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e300,
  2 ** 31,
  2 ** 53,
  "",
  "a",
  "\u2581",
  "\ud800",
  "__proto__",
  [],
  {},
  [[]],
  [0, 4],
  [-1, 1],
];

/** A copy of `value` with one place in it changed: another value, a copy of its neighbour, or nothing. */
export function mutateJson(value: unknown, random: Random): unknown {
  if (typeof value !== "object" || value === null || random.below(6) === 0) return strange(value, random);
  const keys = Object.keys(value);
  if (keys.length === 0) return strange(value, random);
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>;
  const key = random.pick(keys);
  switch (random.below(8)) {
    case 0:
      if (Array.isArray(copy)) copy.splice(Number(key), 1);
      else Reflect.deleteProperty(copy, key);
      return copy;
    case 1:
      copy[key] = copy[random.pick(keys)];
      return copy;
    case 2:
      if (Array.isArray(copy)) copy.push(copy[0]);
      else copy[random.pick([key + key, "type", "x", "__proto__"])] = copy[key];
      return copy;
    default:
      copy[key] = mutateJson(copy[key], random);
      return copy;
  }
}

function strange(value: unknown, random: Random): unknown {
  const shape = random.below(4);
  if (typeof value === "number" && shape > 0) return value + random.pick([1, -1, 0.5, random.pick(EDGES)]);
  if (typeof value === "string" && shape > 0) return mutateText(value, random);
  if (shape === 0) return { type: value };
  return random.pick(STRANGE);
}

/** Pieces that mean something to some reader. */
const PIECES = [
  "(",
  ")",
  "[",
  "]",
  "*",
  "+",
  "?",
  "{2}",
  "|",
  "\\",
  "(?i:",
  "\\p{L}",
  ",",
  '"',
  "\n",
  "\r",
  "\u0000",
  "é",
  "😀",
  "1e9",
  "-",
];

/** `text` with one to three changes. */
export function mutateText(text: string, random: Random): string {
  let out = text;
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = random.below(out.length + 1);
    const count = random.below(3);
    const piece = random.below(2) === 0 ? random.pick(PIECES) : out.slice(random.below(out.length + 1)).slice(0, 5);
    out = out.slice(0, at) + piece + out.slice(at + count);
  }
  return out;
}
