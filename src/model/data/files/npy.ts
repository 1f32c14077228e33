/**
 * NumPy's `.npy`, versions 1, 2 and 3: a magic string, a header in the syntax of a Python dictionary, then the values
 * in either byte order and either memory order. Source: NEP 1, "A Simple File Format for NumPy Arrays".
 */
import { concatBytes } from "../../../base/bytes.ts";
import type { Bytes } from "../../../base/bytes.ts";
import { CorruptDataError, UnsupportedError } from "../../../base/errors.ts";
import { excerpt } from "../excerpt.ts";
import { elementCount, formatShape } from "../../../compute/layout/shape.ts";
import type { HostArray } from "../../../compute/runtime/runtime.ts";
import type { HostValues } from "../../../compute/tensor/host-values.ts";
import { checkHostTensor, dtypeOfValues, valuesArray } from "../host-tensor.ts";
import type { HostTensor } from "../host-tensor.ts";
import { decodeStored, DTYPE_OF_STORED, encodeStored, STORED_BYTES } from "../stored-values.ts";
import type { StoredType, WrittenType } from "../stored-values.ts";
import { ByteReader } from "./byte-reader.ts";
import { parseNpyHeader } from "./npy-header.ts";

const MAGIC = "\x93NUMPY";
/** Values begin at a multiple of this. */
const ALIGNMENT = 64;
/** More axes than NumPy itself has. */
const RANK_MAX = 64;

const TYPES: Readonly<Record<string, StoredType>> = {
  b1: "bool",
  i1: "int8",
  i2: "int16",
  i4: "int32",
  i8: "int64",
  u1: "uint8",
  u2: "uint16",
  u4: "uint32",
  u8: "uint64",
  f2: "float16",
  f4: "float32",
  f8: "float64",
};

const DESCRIPTIONS = { float32: "<f4", float16: "<f2", int32: "<i4", uint32: "<u4", bool: "|b1" } as const;

/**
 * The array of a `.npy` file, row-major. Dtypes as in the table of `stored-values.ts`: float64 becomes float32, int64
 * int32 where all values fit. @throws CorruptDataError; UnsupportedError for strings, objects and complex numbers
 */
export function readNpy(file: Bytes): HostTensor {
  const reader = new ByteReader("readNpy", file);
  const magic = reader.take(Math.min(MAGIC.length, reader.left));
  if (String.fromCharCode(...magic) !== MAGIC) {
    throw new CorruptDataError("readNpy: expected a file that begins with \\x93NUMPY, found another one");
  }
  const major = reader.uint8();
  reader.uint8();
  if (major < 1 || major > 3) throw new UnsupportedError(`readNpy: expected version 1, 2 or 3, found ${major}`);
  const headerBytes = reader.take(major === 1 ? reader.uint16(true) : reader.uint32(true));
  const header = parseNpyHeader(headerText(headerBytes, major));
  const { type, bigEndian } = typeOf(header.descr);
  const { shape } = header;
  const expected = shape.reduce((product, size) => product * size, STORED_BYTES[type]);
  if (shape.length > RANK_MAX || reader.left !== expected) {
    throw new CorruptDataError(
      `readNpy: expected ${expected} bytes of ${type} ${formatShape(shape).slice(0, 80)}, found ${reader.left}`,
    );
  }
  const stored = decodeStored("readNpy", reader.take(reader.left), type, { bigEndian });
  const dtype = DTYPE_OF_STORED[type];
  const data = header.fortranOrder ? fromColumnMajor(stored, shape, valuesArray(dtype, stored.length)) : stored;
  return { shape, data, dtype };
}

/** A `.npy` file of version 1: float32, float16, int32, uint32 or bool, little-endian, row-major. @throws ShapeError, OptionError */
export function writeNpy(values: HostValues & { readonly dtype?: HostTensor["dtype"] }): Bytes {
  checkHostTensor("writeNpy", values);
  const dtype: WrittenType & keyof typeof DESCRIPTIONS = dtypeOfValues(values);
  const sizes = values.shape.length === 1 ? `${values.shape[0]},` : values.shape.join(", ");
  const header = `{'descr': '${DESCRIPTIONS[dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const prefixBytes = MAGIC.length + 4;
  const total = Math.ceil((prefixBytes + header.length + 1) / ALIGNMENT) * ALIGNMENT;
  const padded = `${header.padEnd(total - prefixBytes - 1)}\n`;
  const length = padded.length;
  const prefix = Uint8Array.of(...latin1(MAGIC), 1, 0, length & 0xff, length >>> 8);
  return concatBytes([prefix, latin1(padded), encodeStored("writeNpy", values.data, dtype)]);
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Versions 1 and 2 are latin-1, version 3 is UTF-8. */
function headerText(bytes: Bytes, major: number): string {
  try {
    return new TextDecoder(major === 3 ? "utf-8" : "latin1", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CorruptDataError("readNpy: expected a header of UTF-8, found other bytes", { cause });
  }
}

function typeOf(descr: string): { type: StoredType; bigEndian: boolean } {
  const [, order, name = ""] = /^([<>|=])([a-zA-Z]\d+)$/.exec(descr) ?? [];
  const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  if (order === undefined || type === undefined || (order === "|" && STORED_BYTES[type] > 1)) {
    throw new UnsupportedError(
      `readNpy: expected bool, integers or floats of at most 8 bytes, found ${excerpt(descr)}`,
    );
  }
  return { type, bigEndian: order === ">" };
}

/** The first axis varies fastest in `stored`, the last one in `out`. */
function fromColumnMajor(stored: HostArray, shape: readonly number[], out: HostArray): HostArray {
  const index = shape.map(() => 0);
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  let at = 0;
  for (let i = 0; i < stored.length; i++) {
    out[at] = stored[i] ?? 0;
    for (let axis = 0; axis < shape.length; axis++) {
      const stride = strides[axis] ?? 0;
      index[axis] = (index[axis] ?? 0) + 1;
      at += stride;
      if (index[axis] !== shape[axis]) break;
      at -= stride * (shape[axis] ?? 0);
      index[axis] = 0;
    }
  }
  return out;
}
