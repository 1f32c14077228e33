/** Writing safetensors. The same tensors give the same bytes. */
import { concatBytes } from "../../base/bytes.ts";
import type { Bytes } from "../../base/bytes.ts";
import { OptionError } from "../../base/errors.ts";
import type { DType } from "../../compute/layout/dtype.ts";
import type { HostValues } from "../../compute/tensor/host-values.ts";
import { checkHostTensor, dtypeOfValues } from "../data/host-tensor.ts";
import { encodeStored, STORED_BYTES } from "../data/stored-values.ts";
import type { WrittenType } from "../data/stored-values.ts";
import { HEADER_BYTES_MAX } from "./header.ts";

/** Options of `writeSafetensors` and `saveModule`. */
export interface WriteOptions {
  /** Strings by name. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** What floats are stored as; their own dtype by default. */
  readonly floats?: "float32" | "float16" | "bfloat16";
}

const NAMES: Readonly<Record<WrittenType, string>> = {
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int32: "I32",
  uint32: "U32",
  bool: "BOOL",
};

/** Headers end at a multiple of this, so that wide values are aligned. */
const ALIGNMENT = 8;

interface Written {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: WrittenType;
  readonly bytes: Bytes;
}

/** A file of `tensors`: wide dtypes first, then by name. @throws ShapeError, OptionError */
export function writeSafetensors(
  tensors: Readonly<Record<string, HostValues & { readonly dtype?: DType }>>,
  { metadata, floats }: WriteOptions = {},
): Bytes {
  const written = Object.entries(tensors).map(([name, values]): Written => {
    if (name === "__metadata__") throw new OptionError("writeSafetensors: expected another name, found __metadata__");
    const what = `writeSafetensors: ${name}`;
    checkHostTensor(what, values);
    const dtype = dtypeOfValues(values);
    const type = dtype === "float32" || dtype === "float16" ? (floats ?? dtype) : dtype;
    return { name, shape: values.shape, type, bytes: encodeStored(what, values.data, type) };
  });
  written.sort((a, b) => STORED_BYTES[b.type] - STORED_BYTES[a.type] || (a.name < b.name ? -1 : 1));
  let end = 0;
  const entries = written.map(({ name, shape, type, bytes }) => {
    const start = end;
    end += bytes.byteLength;
    return [name, { dtype: NAMES[type], shape, data_offsets: [start, end] }] as const;
  });
  const header = jsonBytes([...(metadata === undefined ? [] : [["__metadata__", metadata] as const]), ...entries]);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.byteLength), true);
  return concatBytes([length, header, ...written.map(({ bytes }) => bytes)]);
}

/** An object of `entries` in their order (an object literal would put names like "1" first), padded with spaces. */
function jsonBytes(entries: readonly (readonly [string, unknown])[]): Bytes {
  const fields = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const bytes = new TextEncoder().encode(`{${fields.join(",")}}`);
  if (bytes.byteLength > HEADER_BYTES_MAX) {
    throw new OptionError(
      `writeSafetensors: expected a header of at most ${HEADER_BYTES_MAX} bytes, found ${bytes.byteLength}`,
    );
  }
  const padded = new Uint8Array(Math.ceil(bytes.byteLength / ALIGNMENT) * ALIGNMENT).fill(0x20);
  padded.set(bytes);
  return padded;
}
