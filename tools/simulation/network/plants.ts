/** Bugs to plant: the simulation has to find each of them, or it would not find such a bug of ours either. */
import { crc32 } from "../../../src/base/crc32.ts";
import { bytesOf, floatsOf } from "../../../src/base/bytes.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import type { Codec } from "../../../src/network/collectives/codecs/codec.ts";
import type { GroupOptions } from "../../../src/network/collectives/group.ts";
import { sumFloat32 } from "../../../src/network/collectives/reducer.ts";
import type { Reducer } from "../../../src/network/collectives/reducer.ts";
import { decodeFrame, encodeFrame } from "../../../src/network/wire/frame.ts";
import type { Fence, Frame } from "../../../src/network/wire/frame.ts";
import type { CallChanges } from "./tasks.ts";

/** What a bug changes at one member. */
export interface Plant {
  readonly what: string;
  /** Of all members, or of every third one. */
  readonly at: "all" | "some";
  /** Arriving frames; `now` is the fence of the member's present group. */
  readonly frame?: (frame: Frame, now: Fence) => Frame | null;
  /** Arriving bytes, before they are known to be a frame. */
  readonly bytes?: (bytes: Bytes) => Bytes;
  readonly group?: Partial<GroupOptions>;
  readonly call?: CallChanges;
  /** Members of a shrunken group. */
  readonly shrunken?: (members: readonly string[]) => readonly string[];
}

function onFrames(type: Frame["type"], change: (frame: Frame) => Frame | null): (frame: Frame) => Frame | null {
  return (frame) => (frame.type === type ? change(frame) : frame);
}

const withoutLast: Reducer = (operands) => sumFloat32(operands.slice(0, Math.max(1, operands.length - 1)));
const twice: Reducer = (operands) => sumFloat32([...operands, ...operands.slice(-1)]);

/** Adds into its first operand, which may be the caller's. */
const inPlace: Reducer = (operands) => {
  const [first, ...rest] = operands.map(floatsOf);
  const sum = first ?? new Float32Array(0);
  for (const operand of rest) for (const [at, value] of operand.entries()) sum[at] = (sum[at] ?? 0) + value;
  return bytesOf(sum);
};

function unstable(codec: Codec): Codec {
  return { ...codec, decode: (bytes) => codec.decode(bytes).map((value) => value + 1 / 64) };
}

/** The checksum made right, whatever the bytes. */
function whitewashed(bytes: Bytes): Bytes {
  if (bytes.byteLength < 36) return bytes;
  const out = bytes.slice();
  const sum = crc32(out.subarray(36), crc32(out.subarray(0, 32)));
  new DataView(out.buffer).setUint32(32, sum, true);
  return out;
}

/** By name. */
export const PLANTS: Readonly<Record<string, Plant>> = {
  "dropped-fence": {
    what: "frames of an older epoch pass for the present one's",
    at: "all",
    frame: (frame, now) => (frame.type === "verdict" ? frame : { ...frame, ...now }),
  },
  "dropped-checksum": { what: "damaged frames are taken for whole", at: "all", bytes: whitewashed },
  "off-by-one-frame": {
    what: "a message's first two frames change places",
    at: "some",
    frame: onFrames("data", (frame) => ({
      ...frame,
      chunk: frame.chunks > 1 && frame.chunk < 2 ? 1 - frame.chunk : frame.chunk,
    })),
  },
  "dropped-message-number": {
    what: "all messages of an operation count as the first",
    at: "some",
    frame: onFrames("data", (frame) => ({ ...frame, message: 0 })),
  },
  "missing-grant": { what: "grants are not heard", at: "some", frame: onFrames("grant", () => null) },
  "missing-verdict": { what: "nobody hears who is accused", at: "all", frame: onFrames("verdict", () => null) },
  "short-frame": {
    what: "the last byte of a frame is lost",
    at: "some",
    frame: onFrames("data", (frame) => ({ ...frame, payload: frame.payload.slice(0, -1) })),
  },
  "deaf-to-silence": {
    what: "silence is never noticed",
    at: "all",
    group: { verdict: { silenceMsMax: 1e6, agreementMsMax: 1_500 } },
  },
  "lone-verdict": {
    what: "everybody decides alone",
    at: "all",
    group: { verdict: { silenceMsMax: 1_000, agreementMsMax: 0 } },
  },
  "forgotten-operand": { what: "the last operand of a sum is left out", at: "some", group: { reduce: withoutLast } },
  "doubled-operand": { what: "the last operand of a sum counts twice", at: "some", group: { reduce: twice } },
  "overwritten-input": { what: "sums are made in the caller's buffer", at: "all", group: { reduce: inPlace } },
  "unstable-codec": { what: "a codec unpacks differently on some members", at: "some", call: { codec: unstable } },
  "wrong-root": {
    what: "some members take the next rank for the root",
    at: "some",
    call: { root: (root, size) => (root + 1) % size },
  },
  "wrong-shares": {
    what: "some members cut the buffer one element later",
    at: "some",
    call: {
      bounds: (bounds) =>
        bounds.map((bound, at) =>
          at === 0 || at === bounds.length - 1 ? bound : Math.min(bound + 1, bounds.at(-1) ?? 0),
        ),
    },
  },
  "wrong-shrink-order": {
    what: "some members rank those who are left backwards",
    at: "some",
    shrunken: (members) => [...members].reverse(),
  },
  "no-deadline": {
    what: "operations wait for ever, and nobody looks after members",
    at: "all",
    call: { options: { deadlineMs: 1e9 } },
    group: { verdict: { silenceMsMax: 1e9, agreementMsMax: 1e9 } },
  },
};

/** The bytes of a frame that a plant changed, or null. */
export function tampered(plant: Plant, message: Bytes, now: Fence): Bytes | null {
  const bytes = plant.bytes?.(message) ?? message;
  if (plant.frame === undefined) return bytes;
  const { ok: frame } = decodeFrame(bytes);
  if (frame === undefined) return bytes;
  const changed = plant.frame(frame, now);
  return changed === null ? null : encodeFrame(changed);
}
