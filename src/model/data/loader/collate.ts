/** Examples of one structure, made into a batch of the same structure. */
import { OptionError, ShapeError } from "../../../base/errors.ts";
import type { DType } from "../../../compute/layout/dtype.ts";
import { elementCount, formatShape, sameShape } from "../../../compute/layout/shape.ts";
import type { HostValues } from "../../../compute/tensor/host-values.ts";
import { checkHostTensor, dtypeOfValues, isHostValues, valuesArray } from "../host-tensor.ts";
import type { HostTensor } from "../host-tensor.ts";

/** Typed arrays that an example may hold. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array
  | Uint8ClampedArray;

/** What `collate` makes of examples of type T. */
export type Collated<T> = T extends number | boolean | HostValues | NumberArray
  ? HostTensor
  : T extends string
    ? string[]
    : T extends object
      ? { -readonly [K in keyof T]: Collated<T[K]> }
      : never;

/**
 * A batch: numbers become float32 [batch], booleans bool [batch], host values and typed arrays of shape [...] become
 * [batch, ...] of their dtype (small integers int32, doubles float32), strings a list; arrays and objects of these keep
 * their structure. For class labels give int32: `int32(label)`. Arrays are copied.
 * @throws ShapeError for examples of different shapes; OptionError for what no batch can be made of
 */
export function collate<T>(examples: readonly T[]): Collated<T> {
  if (examples.length === 0) throw new OptionError("collate: expected at least one example, found none");
  return collateAt("example", examples) as Collated<T>;
}

/** A label or count as one int32, for `collate`. Shape []. @throws OptionError */
export function int32(value: number): HostTensor {
  if (!Number.isInteger(value) || value !== Math.trunc(value) || Math.abs(value + 0.5) > 2 ** 31) {
    throw new OptionError(`int32: expected a whole number of 32 bits, found ${value}`);
  }
  return { shape: [], data: Int32Array.of(value), dtype: "int32" };
}

function collateAt(path: string, examples: readonly unknown[]): unknown {
  const [first] = examples;
  switch (typeof first) {
    case "number":
      return scalars(path, examples, "number", "float32");
    case "boolean":
      return scalars(path, examples, "boolean", "bool");
    case "string":
      if (!examples.every((example) => typeof example === "string")) throw mixed(path);
      return [...examples];
    case "object":
      if (first !== null) return collateObjects(path, examples, first);
  }
  throw new OptionError(
    `collate: ${path}: expected numbers, host values, strings, arrays or objects of them, found ${first === null ? "null" : typeof first}`,
  );
}

function collateObjects(path: string, examples: readonly unknown[], first: object): unknown {
  if (isNumberArray(first) || isHostValues(first)) return stacked(path, examples);
  if (ArrayBuffer.isView(first)) {
    throw new OptionError(`collate: ${path}: expected an array of numbers, found a ${first.constructor.name}`);
  }
  const keys = Object.keys(first);
  for (const example of examples) {
    const isAlike = typeof example === "object" && example !== null && Array.isArray(example) === Array.isArray(first);
    if (!isAlike || Object.keys(example).join() !== keys.join()) throw mixed(path);
  }
  const field = (key: string): unknown =>
    collateAt(
      `${path}.${key}`,
      examples.map((example) => (example as Readonly<Record<string, unknown>>)[key]),
    );
  if (Array.isArray(first)) return keys.map(field);
  return Object.fromEntries(keys.map((key) => [key, field(key)]));
}

function scalars(path: string, examples: readonly unknown[], type: "number" | "boolean", dtype: DType): HostTensor {
  if (!examples.every((example) => typeof example === type)) throw mixed(path);
  const data = valuesArray(dtype, examples.length);
  examples.forEach((value, row) => (data[row] = Number(value)));
  return { shape: [examples.length], data, dtype };
}

interface Row {
  readonly shape: readonly number[];
  readonly data: NumberArray;
  readonly dtype: DType;
}

function stacked(path: string, examples: readonly unknown[]): HostTensor {
  const rows = examples.map((example) => rowOf(path, example));
  const [{ shape, dtype }] = rows as [Row];
  const size = elementCount(shape);
  const data = valuesArray(dtype, rows.length * size);
  rows.forEach((row, at) => {
    if (!sameShape(row.shape, shape) || row.dtype !== dtype) {
      throw new ShapeError(
        `collate: ${path}: expected examples of one shape, found ${dtype} ${formatShape(shape)} and ${row.dtype} ${formatShape(row.shape)}`,
      );
    }
    data.set(row.data, at * size);
  });
  return { shape: [rows.length, ...shape], data, dtype };
}

function rowOf(path: string, example: unknown): Row {
  if (isNumberArray(example)) return { shape: [example.length], data: example, dtype: dtypeOfNumbers(example) };
  if (!isHostValues(example)) throw mixed(path);
  checkHostTensor(`collate: ${path}`, example);
  return { shape: example.shape, data: example.data, dtype: dtypeOfValues(example) };
}

function isNumberArray(value: unknown): value is NumberArray {
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView) &&
    !(value instanceof BigInt64Array) &&
    !(value instanceof BigUint64Array)
  );
}

function dtypeOfNumbers(values: NumberArray): DType {
  if (values instanceof Float32Array || values instanceof Float64Array) return "float32";
  return values instanceof Uint32Array ? "uint32" : "int32";
}

function mixed(path: string): OptionError {
  return new OptionError(`collate: ${path}: expected examples of one structure, found different ones`);
}
