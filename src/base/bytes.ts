/** Small helpers over byte arrays. Everything on a wire or a disk is little-endian. */
import { assert } from "./assert.ts";

/** Bytes in their own, non-shared buffer: what WebGPU, WebCrypto and IndexedDB accept. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** All parts, one after another, in a fresh buffer. */
export function concatBytes(parts: readonly Uint8Array[]): Bytes {
  let total = 0;
  for (const part of parts) total += part.byteLength;
  const out = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.byteLength;
  }
  return out;
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += byte.toString(16).padStart(2, "0");
  return out;
}

/** The bytes of a typed array, shared and not copied. */
export function bytesOf(view: ArrayBufferView<ArrayBuffer>): Bytes {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** The float32 values in `bytes`; copied only when they are not aligned to 4. */
export function floatsOf(bytes: Bytes): Float32Array<ArrayBuffer> {
  assert(bytes.byteLength % 4 === 0, `floatsOf: ${bytes.byteLength} bytes are no whole number of float32`);
  if (bytes.byteOffset % 4 === 0) return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  return new Float32Array(bytes.slice().buffer);
}
