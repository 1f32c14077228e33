/**
 * The header of a safetensors file: 8 bytes of its length (little-endian), then JSON that names each tensor's dtype,
 * shape and place. Everything is checked before a byte of a tensor is read or memory for it is taken.
 *
 * Source: https://huggingface.co/docs/safetensors (Format).
 */
import type { Bytes } from "../../base/bytes.ts";
import { CorruptDataError, UnsupportedError } from "../../base/errors.ts";
import { formatShape } from "../../compute/layout/shape.ts";
import { excerpt } from "../data/excerpt.ts";
import { STORED_BYTES } from "../data/stored-values.ts";
import type { StoredType } from "../data/stored-values.ts";
import { parseStrictJson } from "./scan-json.ts";

/** As the format's own reader has it. */
export const HEADER_BYTES_MAX = 100_000_000;
/** Bytes of the length in front. */
export const LENGTH_BYTES = 8;

/** Names of dtypes in files, and how they are read; null for those that can be skipped and not read. */
const DTYPES: ReadonlyMap<string, { readonly bytes: number; readonly type: StoredType | null }> = new Map([
  ["F64", readAs("float64")],
  ["F32", readAs("float32")],
  ["F16", readAs("float16")],
  ["BF16", readAs("bfloat16")],
  ["I64", readAs("int64")],
  ["I32", readAs("int32")],
  ["I16", readAs("int16")],
  ["I8", readAs("int8")],
  ["U64", readAs("uint64")],
  ["U32", readAs("uint32")],
  ["U16", readAs("uint16")],
  ["U8", readAs("uint8")],
  ["BOOL", readAs("bool")],
  ["F8_E5M2", { bytes: 1, type: null }],
  ["F8_E4M3", { bytes: 1, type: null }],
  ["F8_E8M0", { bytes: 1, type: null }],
  ["C64", { bytes: 8, type: null }],
]);

function readAs(type: StoredType): { readonly bytes: number; readonly type: StoredType | null } {
  return { bytes: STORED_BYTES[type], type };
}

/** A tensor in a file. */
export interface TensorInfo {
  readonly name: string;
  /** The file's word: "F32", "BF16", ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** From the beginning of the file. */
  readonly start: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly tensors: readonly TensorInfo[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The header's length, from the first 8 bytes. `size` is the file's. @throws CorruptDataError */
export function headerBytesOf(what: string, start: Bytes, size: number): number {
  if (start.byteLength < LENGTH_BYTES) {
    throw new CorruptDataError(`${what}: expected ${LENGTH_BYTES} bytes of length, found ${start.byteLength}`);
  }
  const length = new DataView(start.buffer, start.byteOffset, start.byteLength).getBigUint64(0, true);
  const most = Math.max(0, Math.min(HEADER_BYTES_MAX, size - LENGTH_BYTES));
  if (length > BigInt(most)) {
    throw new CorruptDataError(
      `${what}: expected at most ${most} bytes of header in a file of ${size}, found ${length}`,
    );
  }
  return Number(length);
}

/**
 * Parses and checks a header. `dataBytes` follow it in the file.
 * @throws CorruptDataError for anything but tensors side by side that fill the file; UnsupportedError for unknown dtypes
 */
export function parseHeader(what: string, bytes: Bytes, dataBytes: number): SafetensorsHeader {
  const header = asObject(parseStrictJson(`${what} header`, textOf(what, bytes)));
  if (header === null) throw new CorruptDataError(`${what}: expected a header of tensors by name, found another one`);
  const dataStart = LENGTH_BYTES + bytes.byteLength;
  const tensors: TensorInfo[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.push(infoOf(`${what}: ${excerpt(name)}`, name, entry, dataStart));
  }
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  checkPlaces(what, tensors, dataStart, dataBytes);
  return { tensors, metadata: metadataOf(what, header["__metadata__"]) };
}

/** How a tensor's bytes are read. @throws UnsupportedError */
export function storedTypeOf(what: string, { name, dtype }: TensorInfo): StoredType {
  const type = DTYPES.get(dtype)?.type;
  if (type == null) {
    throw new UnsupportedError(`${what}: ${excerpt(name)}: expected a dtype that can be read, found ${dtype}`);
  }
  return type;
}

function textOf(what: string, bytes: Bytes): string {
  if (bytes[0] !== 0x7b) {
    throw new CorruptDataError(`${what}: expected a header that begins with {, found byte ${bytes[0] ?? "none"}`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CorruptDataError(`${what}: expected a header of UTF-8, found other bytes`, { cause });
  }
}

function infoOf(what: string, name: string, value: unknown, dataStart: number): TensorInfo {
  const entry = asObject(value);
  const { dtype, shape, data_offsets: offsets } = entry ?? {};
  const isEntry = typeof dtype === "string" && areSizes(shape) && areSizes(offsets) && offsets.length === 2;
  if (!isEntry) {
    throw new CorruptDataError(`${what}: expected dtype, shape and data_offsets, found ${excerpt(value)}`);
  }
  const known = DTYPES.get(dtype);
  if (known === undefined) throw new UnsupportedError(`${what}: expected a known dtype, found ${excerpt(dtype)}`);
  const [from, to] = offsets as [number, number];
  const expected = shape.reduce((product, size) => product * size, known.bytes);
  if (to - from !== expected) {
    throw new CorruptDataError(
      `${what}: expected ${expected} bytes of ${dtype} ${formatShape(shape).slice(0, 80)}, found offsets ${from} to ${to}`,
    );
  }
  return { name, dtype, shape, start: dataStart + from, end: dataStart + to };
}

/** Tensors lie side by side: none shares bytes with another, no byte is without a tensor. */
function checkPlaces(what: string, tensors: readonly TensorInfo[], dataStart: number, dataBytes: number): void {
  let end = dataStart;
  for (const tensor of tensors) {
    if (tensor.start !== end) {
      throw new CorruptDataError(
        `${what}: ${excerpt(tensor.name)}: expected data from offset ${end - dataStart}, found it from ${tensor.start - dataStart}`,
      );
    }
    end = tensor.end;
  }
  if (end !== dataStart + dataBytes) {
    throw new CorruptDataError(`${what}: expected ${end - dataStart} bytes of tensors, found ${dataBytes}`);
  }
}

function metadataOf(what: string, value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  const metadata = asObject(value);
  if (metadata === null || !Object.values(metadata).every((text) => typeof text === "string")) {
    throw new CorruptDataError(`${what}: expected __metadata__ of strings by name, found ${excerpt(value)}`);
  }
  return metadata as Readonly<Record<string, string>>;
}

function asObject(value: unknown): Record<string, unknown> | null {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : null;
}

function areSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
}
