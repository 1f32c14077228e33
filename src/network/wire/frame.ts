/**
 * The binary frame: 36 bytes of header, then the payload. Everything that peers say to each other is frames.
 *
 *     byte  0  u32  magic
 *           4  u16  protocol version
 *           6  u8   type
 *           7  u8   zero
 *           8  u32  incarnation    the fence: frames of another (incarnation, epoch) are stale
 *          12  u32  epoch
 *          16  u32  operation      which collective of that fence, or which request
 *          20  u16  chunk          which frame of a message
 *          22  u16  message        which message of the operation, between these two
 *          24  u16  chunk count    of that message
 *          26  u16  group          which group of that fence; 0 where there is one
 *          28  u32  payload bytes
 *          32  u32  CRC-32 of bytes 0 to 31 and the payload; not looked at on paths that have none (`FrameRules`)
 *
 * Little-endian. Decoding never throws and allocates nothing until the frame has proved whole: the bytes come from
 * strangers.
 */
import { assert } from "../../base/assert.ts";
import { crc32 } from "../../base/crc32.ts";
import type { Bytes } from "../../base/bytes.ts";
import { PROTOCOL_VERSION } from "./messages.ts";

export const HEADER_BYTES = 36;
const MAGIC = 0x48_54_52_48; // "HRTH" as it lies in memory.
const CHECKSUM_AT = 32;

/** What a frame is for; the number on the wire. */
export const FRAME_TYPE = {
  /** Part of a message of a collective. */
  data: 1,
  /** "I take part in this operation now: send more than the first window." */
  grant: 2,
  /** Asks for blobs by hash, or, empty, takes a request back. */
  blobRequest: 3,
  /** Part of a blob; with a chunk count of 0, "I do not have it". */
  blobAnswer: 4,
  /** What a member of a group knows of who is gone; also its sign of life. */
  verdict: 5,
  /** Part of a message that is there to be timed. */
  probe: 6,
} as const;

export type FrameType = keyof typeof FRAME_TYPE;

const TYPE_NAMES = new Map<number, FrameType>(
  (Object.entries(FRAME_TYPE) as [FrameType, number][]).map(([name, code]) => [code, name]),
);

/** A version of the membership: later ones compare greater, and frames of earlier ones are stale. */
export interface Fence {
  readonly incarnation: number;
  readonly epoch: number;
  /** Groups of one epoch are told apart by it, and are neither earlier nor later than one another. 0 if left out. */
  readonly group?: number;
}

/** One message between two peers, as the wire carries it. */
export interface Frame extends Fence {
  readonly type: FrameType;
  readonly operation: number;
  /** Counts the messages that the sender has for the receiver in this operation. 0 if left out. */
  readonly message?: number;
  readonly chunk: number;
  readonly chunks: number;
  readonly payload: Bytes;
}

/** Why bytes are no frame. */
export interface FrameFault {
  readonly kind: "magic" | "version" | "length" | "type" | "checksum";
  /** One sentence. */
  readonly message: string;
}

export type Decoded =
  { readonly ok: Frame; readonly error?: undefined } | { readonly ok?: undefined; readonly error: FrameFault };

type Halves = [number, number, number, number];

/** Negative when `a` is the earlier one, 0 when they are of one epoch. */
export function compareFences(a: Fence, b: Fence): number {
  return a.incarnation - b.incarnation || a.epoch - b.epoch;
}

/** Whether both are the same group of the same epoch. */
export function isSameFence(a: Fence, b: Fence): boolean {
  return compareFences(a, b) === 0 && (a.group ?? 0) === (b.group ?? 0);
}

/** The frame's bytes in a buffer of their own. Copies the payload once and reads it once for the checksum, if it has one. */
export function encodeFrame(frame: Frame, hasChecksum: boolean = true): Bytes {
  const { payload } = frame;
  const bytes = new Uint8Array(HEADER_BYTES + payload.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, PROTOCOL_VERSION, true);
  view.setUint8(6, FRAME_TYPE[frame.type]);
  for (const [at, word] of [frame.incarnation, frame.epoch, frame.operation].entries()) {
    assert(Number.isInteger(word) && word >= 0 && word <= 0xffff_ffff, `encodeFrame: ${word} is no unsigned 32-bit`);
    view.setUint32(8 + 4 * at, word, true);
  }
  for (const [at, half] of [frame.chunk, frame.message ?? 0, frame.chunks, frame.group ?? 0].entries()) {
    assert(Number.isInteger(half) && half >= 0 && half <= 0xffff, `encodeFrame: ${half} is no unsigned 16-bit`);
    view.setUint16(20 + 2 * at, half, true);
  }
  view.setUint32(28, payload.byteLength, true);
  bytes.set(payload, HEADER_BYTES);
  if (hasChecksum) view.setUint32(CHECKSUM_AT, checksum(bytes), true);
  return bytes;
}

/** The frame in `bytes`, its payload a view of them; or why there is none. Never throws. */
export function decodeFrame(bytes: Bytes, hasChecksum: boolean = true): Decoded {
  if (bytes.byteLength < HEADER_BYTES) {
    return fault("length", `expected at least ${HEADER_BYTES} bytes, found ${bytes.byteLength}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) return fault("magic", "expected a frame of hearth, found other bytes");
  const version = view.getUint16(4, true);
  if (version !== PROTOCOL_VERSION) {
    return fault("version", `expected protocol version ${PROTOCOL_VERSION}, found ${version}`);
  }
  const payloadBytes = view.getUint32(28, true);
  if (payloadBytes !== bytes.byteLength - HEADER_BYTES) {
    return fault("length", `expected ${payloadBytes} bytes of payload, found ${bytes.byteLength - HEADER_BYTES}`);
  }
  if (hasChecksum && view.getUint32(CHECKSUM_AT, true) !== checksum(bytes)) {
    return fault("checksum", "expected the checksum of the frame, found another");
  }
  const type = TYPE_NAMES.get(view.getUint8(6));
  if (type === undefined || view.getUint8(7) !== 0) return fault("type", `found unknown type ${view.getUint8(6)}`);
  const payload = bytes.subarray(HEADER_BYTES);
  const [incarnation, epoch, operation] = [8, 12, 16].map((at) => view.getUint32(at, true)) as [number, number, number];
  const [chunk, message, chunks, group] = [20, 22, 24, 26].map((at) => view.getUint16(at, true)) as Halves;
  return { ok: { type, incarnation, epoch, group, operation, message, chunk, chunks, payload } };
}

function checksum(bytes: Bytes): number {
  return crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, CHECKSUM_AT)));
}

function fault(kind: FrameFault["kind"], message: string): Decoded {
  return { error: { kind, message } };
}
