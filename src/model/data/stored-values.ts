/**
 * Number formats of files, read into the dtypes that tensors have, and written.
 *
 * | stored                        | read as                                                        |
 * |-------------------------------|----------------------------------------------------------------|
 * | float64                       | float32, rounded to nearest; beyond its range infinite          |
 * | float32, float16, bfloat16    | float32, exactly                                               |
 * | int64                         | int32 if every value fits, else refused                        |
 * | int32, int16, int8, uint16, uint8 | int32, exactly                                             |
 * | uint64                        | uint32 if every value fits, else refused                       |
 * | uint32                        | uint32                                                         |
 * | bool                          | bool: bytes of 0 or 1, others are refused                      |
 */
import type { Bytes } from "../../base/bytes.ts";
import { CorruptDataError, OptionError, UnsupportedError } from "../../base/errors.ts";
import { float16Bits, float16OfBits } from "../../base/float16.ts";
import type { DType } from "../../compute/layout/dtype.ts";
import type { HostArray } from "../../compute/runtime/runtime.ts";
import { valuesArray } from "./host-tensor.ts";

/** How a file stores a number. */
export type StoredType =
  | "float64"
  | "float32"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool";

/** Bytes of one. */
export const STORED_BYTES: Readonly<Record<StoredType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint64: 8,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
};

/** What each is read as. */
export const DTYPE_OF_STORED: Readonly<Record<StoredType, DType>> = {
  float64: "float32",
  float32: "float32",
  float16: "float32",
  bfloat16: "float32",
  int64: "int32",
  int32: "int32",
  int16: "int32",
  int8: "int32",
  uint64: "uint32",
  uint32: "uint32",
  uint16: "int32",
  uint8: "int32",
  bool: "bool",
};

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** How the bytes of a number lie; little-endian unless said otherwise. */
export interface ByteOrder {
  readonly bigEndian?: boolean;
}

/**
 * `bytes` as host values, copied. `what` is for messages.
 * @throws CorruptDataError for bytes that are no whole number of values or no bool; UnsupportedError for 64-bit
 * integers beyond 32 bits
 */
export function decodeStored(
  what: string,
  bytes: Bytes,
  type: StoredType,
  { bigEndian = false }: ByteOrder = {},
): HostArray {
  const size = STORED_BYTES[type];
  const count = bytes.byteLength / size;
  if (!Number.isInteger(count)) {
    throw new CorruptDataError(`${what}: expected whole values of ${size} bytes, found ${bytes.byteLength} bytes`);
  }
  const out = valuesArray(DTYPE_OF_STORED[type], count);
  if (STORED_BYTES[type] === 4 && IS_LITTLE_ENDIAN && !bigEndian) {
    new Uint8Array(out.buffer).set(bytes);
    return out;
  }
  const read = readerOf(what, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), type, !bigEndian);
  for (let i = 0; i < count; i++) out[i] = read(i * size);
  return out;
}

function readerOf(what: string, view: DataView, type: StoredType, little: boolean): (at: number) => number {
  switch (type) {
    case "float64":
      return (at) => view.getFloat64(at, little);
    case "float32":
      return (at) => view.getFloat32(at, little);
    case "float16":
      return (at) => float16OfBits(view.getUint16(at, little));
    case "bfloat16":
      return bfloat16Reader(view, little);
    case "int64":
      return (at) => narrowed(what, view.getBigInt64(at, little), -0x80000000n, 0x7fffffffn, "int32");
    case "int32":
      return (at) => view.getInt32(at, little);
    case "int16":
      return (at) => view.getInt16(at, little);
    case "int8":
      return (at) => view.getInt8(at);
    case "uint64":
      return (at) => narrowed(what, view.getBigUint64(at, little), 0n, 0xffffffffn, "uint32");
    case "uint32":
      return (at) => view.getUint32(at, little);
    case "uint16":
      return (at) => view.getUint16(at, little);
    case "uint8":
      return (at) => view.getUint8(at);
    case "bool":
      return (at) => boolOf(what, view.getUint8(at));
  }
}

/** A bfloat16 is the upper half of a float32. */
function bfloat16Reader(view: DataView, little: boolean): (at: number) => number {
  const word = new DataView(new ArrayBuffer(4));
  return (at) => {
    word.setUint32(0, view.getUint16(at, little) << 16);
    return word.getFloat32(0);
  };
}

function narrowed(what: string, value: bigint, low: bigint, high: bigint, dtype: DType): number {
  if (value < low || value > high) {
    throw new UnsupportedError(`${what}: expected integers that fit into ${dtype}, found ${value}`);
  }
  return Number(value);
}

function boolOf(what: string, byte: number): number {
  if (byte > 1) throw new CorruptDataError(`${what}: expected a bool of 0 or 1, found ${byte}`);
  return byte;
}

/** Formats that tensors are written in. */
export type WrittenType = "float32" | "float16" | "bfloat16" | "int32" | "uint32" | "bool";

/** Values as little-endian bytes; floats are rounded to nearest, ties to even. @throws OptionError for an array of another kind */
export function encodeStored(what: string, data: HostArray, type: WrittenType): Bytes {
  const isFloatType = type === "float32" || type === "float16" || type === "bfloat16";
  const isHeld = isFloatType
    ? data instanceof Float32Array
    : type === "int32"
      ? data instanceof Int32Array
      : data instanceof Uint32Array;
  if (!isHeld) throw new OptionError(`${what}: expected values for ${type}, found a ${data.constructor.name}`);
  const size = STORED_BYTES[type];
  const out = new Uint8Array(data.length * size);
  if (size === 4 && IS_LITTLE_ENDIAN) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return out;
  }
  const view = new DataView(out.buffer);
  const write = writerOf(view, type);
  for (let i = 0; i < data.length; i++) write(i * size, data[i] ?? 0);
  return out;
}

function writerOf(view: DataView, type: WrittenType): (at: number, value: number) => void {
  switch (type) {
    case "float32":
      return (at, value) => view.setFloat32(at, value, true);
    case "float16":
      return (at, value) => view.setUint16(at, float16Bits(value), true);
    case "bfloat16":
      return bfloat16Writer(view);
    case "int32":
      return (at, value) => view.setInt32(at, value, true);
    case "uint32":
      return (at, value) => view.setUint32(at, value, true);
    case "bool":
      return (at, value) => view.setUint8(at, value === 0 ? 0 : 1);
  }
}

function bfloat16Writer(view: DataView): (at: number, value: number) => void {
  const word = new DataView(new ArrayBuffer(4));
  return (at, value) => {
    word.setFloat32(0, value);
    const bits = word.getUint32(0);
    const isNaN = (bits & 0x7fffffff) > 0x7f800000;
    // Half of the last place that stays, a little less when that place is even: ties go to even.
    const rounded = isNaN ? 0x7fc00000 : bits + 0x7fff + ((bits >>> 16) & 1);
    view.setUint16(at, (rounded / 0x10000) & 0xffff, true);
  };
}
