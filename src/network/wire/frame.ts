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
 *          20  u32  chunk          which frame of a message
 *          24  u32  chunk count    of that message
 *          28  u32  payload bytes
 *          32  u32  CRC-32 of bytes 0 to 31 and the payload
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
} as const;

export type FrameType = keyof typeof FRAME_TYPE;

const TYPE_NAMES = new Map<number, FrameType>(
  (Object.entries(FRAME_TYPE) as [FrameType, number][]).map(([name, code]) => [code, name]),
);

/** A version of the membership: later ones compare greater, and frames of earlier ones are stale. */
export interface Fence {
  readonly incarnation: number;
  readonly epoch: number;
}

/** One message between two peers, as the wire carries it. */
export interface Frame extends Fence {
  readonly type: FrameType;
  readonly operation: number;
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

/** Negative when `a` is the earlier one, 0 when equal. */
export function compareFences(a: Fence, b: Fence): number {
  return a.incarnation - b.incarnation || a.epoch - b.epoch;
}

/** The frame's bytes in a buffer of their own. Copies the payload once and reads it once for the checksum. */
export function encodeFrame(frame: Frame): Bytes {
  const { payload } = frame;
  const bytes = new Uint8Array(HEADER_BYTES + payload.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, PROTOCOL_VERSION, true);
  view.setUint8(6, FRAME_TYPE[frame.type]);
  const words = [frame.incarnation, frame.epoch, frame.operation, frame.chunk, frame.chunks, payload.byteLength];
  for (const [index, word] of words.entries()) {
    assert(Number.isInteger(word) && word >= 0 && word <= 0xffff_ffff, `encodeFrame: ${word} is no unsigned 32-bit`);
    view.setUint32(8 + 4 * index, word, true);
  }
  bytes.set(payload, HEADER_BYTES);
  view.setUint32(CHECKSUM_AT, checksum(bytes), true);
  return bytes;
}

/** The frame in `bytes`, its payload a view of them; or why there is none. Never throws. */
export function decodeFrame(bytes: Bytes): Decoded {
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
  if (view.getUint32(CHECKSUM_AT, true) !== checksum(bytes)) {
    return fault("checksum", "expected the checksum of the frame, found another");
  }
  const type = TYPE_NAMES.get(view.getUint8(6));
  if (type === undefined || view.getUint8(7) !== 0) return fault("type", `found unknown type ${view.getUint8(6)}`);
  const word = (index: number): number => view.getUint32(8 + 4 * index, true);
  const payload = bytes.subarray(HEADER_BYTES);
  const [incarnation, epoch, operation, chunk, chunks] = [word(0), word(1), word(2), word(3), word(4)];
  return { ok: { type, incarnation, epoch, operation, chunk, chunks, payload } };
}

function checksum(bytes: Bytes): number {
  return crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, CHECKSUM_AT)));
}

function fault(kind: FrameFault["kind"], message: string): Decoded {
  return { error: { kind, message } };
}
