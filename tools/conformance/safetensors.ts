/** Reading the tensors of a safetensors file: 8 bytes of header length, a JSON header, then the bytes. */
import type { Bytes } from "../../src/base/bytes.ts";
import { CorruptDataError } from "../../src/base/errors.ts";
import type { HostArray } from "../../src/compute/runtime/runtime.ts";
import type { HostValues } from "../../src/compute/tensor/host-values.ts";

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: number[];
  readonly data_offsets: readonly [number, number];
}

const LENGTH_BYTES = 8;

/** All tensors, by name. @throws CorruptDataError */
export function readSafetensors(file: Bytes): Map<string, HostValues> {
  const { header, headerBytes } = readHeader(file);
  const out = new Map<string, HostValues>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [from, to] = entry.data_offsets;
    const { buffer } = file.slice(LENGTH_BYTES + headerBytes + from, LENGTH_BYTES + headerBytes + to);
    const count = entry.shape.reduce((product, size) => product * size, 1);
    if (buffer.byteLength !== count * 4) {
      throw new CorruptDataError(`safetensors: ${name}: expected ${count * 4} bytes, found ${buffer.byteLength}`);
    }
    out.set(name, { shape: entry.shape, data: arrayOf(name, entry.dtype, buffer) });
  }
  return out;
}

function readHeader(file: Bytes): { header: Record<string, HeaderEntry>; headerBytes: number } {
  if (file.byteLength < LENGTH_BYTES) {
    throw new CorruptDataError(`safetensors: expected a header, found ${file.byteLength} bytes`);
  }
  const headerBytes = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  if (headerBytes > file.byteLength - LENGTH_BYTES) {
    throw new CorruptDataError(`safetensors: expected ${headerBytes} bytes of header, found ${file.byteLength} in all`);
  }
  const text = new TextDecoder().decode(file.subarray(LENGTH_BYTES, LENGTH_BYTES + headerBytes));
  try {
    return { header: JSON.parse(text) as Record<string, HeaderEntry>, headerBytes };
  } catch (cause) {
    throw new CorruptDataError("safetensors: expected a header of JSON, found something else", { cause });
  }
}

function arrayOf(name: string, dtype: string, buffer: ArrayBuffer): HostArray {
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "I32":
      return new Int32Array(buffer);
    default:
      throw new CorruptDataError(`safetensors: ${name}: expected F32 or I32, found ${dtype}`);
  }
}
