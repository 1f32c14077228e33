/**
 * IDX, the format of MNIST: two zero bytes, a byte for the type, a byte for the rank, big-endian uint32 sizes, then
 * big-endian values. Source: http://yann.lecun.com/exdb/mnist/ (the end of the page).
 */
import type { Bytes } from "../../../base/bytes.ts";
import { CorruptDataError } from "../../../base/errors.ts";
import { excerpt } from "../excerpt.ts";
import type { HostTensor } from "../host-tensor.ts";
import { decodeStored, DTYPE_OF_STORED, STORED_BYTES } from "../stored-values.ts";
import type { StoredType } from "../stored-values.ts";
import { ByteReader } from "./byte-reader.ts";
import { inflate, inflateStart, isGzip } from "./inflate.ts";

const TYPES: ReadonlyMap<number, StoredType> = new Map([
  [0x08, "uint8"],
  [0x09, "int8"],
  [0x0b, "int16"],
  [0x0c, "int32"],
  [0x0d, "float32"],
  [0x0e, "float64"],
]);

/** The largest header: 255 sizes. */
const HEADER_BYTES_MAX = 4 + 255 * 4;

interface Header {
  readonly type: StoredType;
  readonly shape: readonly number[];
  readonly valueBytes: number;
  readonly headerBytes: number;
}

/**
 * The tensor of an IDX file, gzipped or not. Integers become int32, floats float32: images of uint8 are 0 to 255.
 * @throws CorruptDataError
 */
export async function readIdx(file: Bytes): Promise<HostTensor> {
  if (!isGzip(file)) return tensorOf(file, headerOf(file));
  const header = headerOf(await inflateStart("readIdx", file, "gzip", HEADER_BYTES_MAX));
  const bytes = await inflate("readIdx", file, "gzip", header.headerBytes + header.valueBytes);
  return tensorOf(bytes, header);
}

function headerOf(start: Bytes): Header {
  const reader = new ByteReader("readIdx", start);
  const zeros = reader.uint16(false);
  const typeByte = reader.uint8();
  const type = TYPES.get(typeByte);
  if (zeros !== 0 || type === undefined) {
    throw new CorruptDataError(
      `readIdx: expected two zero bytes and a type from 0x08 to 0x0e, found ${zeros} and ${typeByte}`,
    );
  }
  const shape = Array.from({ length: reader.uint8() }, () => 0);
  for (let axis = 0; axis < shape.length; axis++) shape[axis] = reader.uint32(false);
  const valueBytes = shape.reduce((product, size) => product * size, STORED_BYTES[type]);
  return { type, shape, valueBytes, headerBytes: 4 + 4 * shape.length };
}

function tensorOf(file: Bytes, { type, shape, valueBytes, headerBytes }: Header): HostTensor {
  const values = file.subarray(headerBytes);
  if (values.byteLength !== valueBytes) {
    throw new CorruptDataError(
      `readIdx: expected ${valueBytes} bytes of ${type} ${excerpt(shape)}, found ${values.byteLength}`,
    );
  }
  return {
    shape,
    data: decodeStored("readIdx", values, type, { bigEndian: true }),
    dtype: DTYPE_OF_STORED[type],
  };
}
