/** What reductions reduce: arrays of numbers, how their bytes are read, and how two or more become one. */
import { assert } from "../../base/assert.ts";
import { bytesOf } from "../../base/bytes.ts";
import type { Bytes } from "../../base/bytes.ts";
import { OptionError } from "../../base/errors.ts";
import { float16Bits, float16OfBits } from "../../base/float16.ts";
import type { Reducer } from "./reducer.ts";

/** How numbers lie in memory. float16 and bfloat16 are stored as their bits, and added up in float32. */
export type NumberType = "float32" | "float16" | "bfloat16" | "int32";

/** Arrays that reductions take and give. Uint16Array holds the bits of float16 or bfloat16. */
export type Numbers = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;

/** What a reduction makes of the ranks' numbers. `mean` of int32 drops the fraction; their sum and product wrap. */
export type ReduceOperator = "sum" | "mean" | "max" | "min" | "product";

type Working = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
type Fold = (sum: Working, more: Working) => void;

/** Bytes of one number. */
export function elementBytes(type: NumberType): number {
  return type === "float32" || type === "int32" ? 4 : 2;
}

/** The type of an array's numbers. @throws OptionError where `type` does not fit the array */
export function typeOf(numbers: Numbers, type?: NumberType): NumberType {
  const found = type ?? (numbers instanceof Float32Array ? "float32" : "int32");
  const fits: Record<NumberType, boolean> = {
    float32: numbers instanceof Float32Array,
    int32: numbers instanceof Int32Array,
    float16: numbers instanceof Uint16Array,
    bfloat16: numbers instanceof Uint16Array,
  };
  if (fits[found]) return found;
  throw new OptionError(`numbers: expected ${numbers.constructor.name} to hold ${found}, found another array`);
}

/** The numbers in `bytes`, as an array like `like`; copied only where they are not aligned. */
export function numbersOf<T extends Numbers>(bytes: Bytes, like: T): T {
  const width = like.BYTES_PER_ELEMENT;
  const own = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const [from, length] = [own.byteOffset, own.byteLength / width];
  if (like instanceof Float32Array) return new Float32Array(own.buffer, from, length) as T;
  if (like instanceof Int32Array) return new Int32Array(own.buffer, from, length) as T;
  return new Uint16Array(own.buffer, from, length) as T;
}

/** Reduces operands in their order, in float32 or int32, and rounds once at the end. */
export function reducerOf(type: NumberType, operator: ReduceOperator): Reducer {
  const fold = FOLDS[type === "int32" ? "int32" : "float32"][operator];
  return (operands) => {
    const [first, ...rest] = operands;
    assert(first !== undefined, "reducer: expected operands, found none");
    const sum = toWorking(first, type, true);
    for (const operand of rest) {
      assert(operand.byteLength === first.byteLength, `reducer: expected ${first.byteLength} bytes`);
      fold(sum, toWorking(operand, type, false));
    }
    return fromWorking(sum, type);
  };
}

/** Each number divided by `count`, rounded once; of int32 without its fraction. In place. */
export function divideAll(numbers: Numbers, type: NumberType, count: number): void {
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] ?? 0;
    if (type === "int32") numbers[i] = Math.trunc(value / count);
    else if (type === "float32") numbers[i] = value / count;
    else numbers[i] = encode16(type, decode16(type, value) / count);
  }
}

const FOLDS: Readonly<Record<"float32" | "int32", Readonly<Record<ReduceOperator, Fold>>>> = {
  float32: {
    sum: addAll,
    mean: addAll,
    max: (sum, more) => each(sum, more, Math.max),
    min: (sum, more) => each(sum, more, Math.min),
    product: (sum, more) => each(sum, more, (a, b) => a * b),
  },
  int32: {
    sum: addAll,
    mean: addAll,
    max: (sum, more) => each(sum, more, Math.max),
    min: (sum, more) => each(sum, more, Math.min),
    product: (sum, more) => each(sum, more, Math.imul),
  },
};

/** A sum of two float32 is exact in float64, and of two int32 as well: storing it rounds once, or wraps. */
function addAll(sum: Working, more: Working): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (more[i] as number);
}

function each(sum: Working, more: Working, combine: (a: number, b: number) => number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = combine(sum[i] as number, more[i] as number);
}

function toWorking(bytes: Bytes, type: NumberType, mustOwn: boolean): Working {
  if (type === "float32") return owned(numbersOf(bytes, new Float32Array(0)), bytes, mustOwn);
  if (type === "int32") return owned(numbersOf(bytes, new Int32Array(0)), bytes, mustOwn);
  return Float32Array.from(numbersOf(bytes, new Uint16Array(0)), (bits) => decode16(type, bits));
}

function owned<T extends Working>(view: T, bytes: Bytes, mustOwn: boolean): T {
  return mustOwn && view.buffer === bytes.buffer ? (view.slice() as T) : view;
}

function fromWorking(sum: Working, type: NumberType): Bytes {
  if (type === "float32" || type === "int32") return bytesOf(sum);
  return bytesOf(Uint16Array.from(sum, (value) => encode16(type, value)));
}

const SCRATCH = new Float32Array(1);
const SCRATCH_BITS = new Uint32Array(SCRATCH.buffer);

/** The value of 16 bits. */
function decode16(type: "float16" | "bfloat16", bits: number): number {
  if (type === "float16") return float16OfBits(bits);
  SCRATCH_BITS[0] = bits << 16;
  return SCRATCH[0] ?? 0;
}

/** Round to nearest, ties to even. */
function encode16(type: "float16" | "bfloat16", value: number): number {
  if (type === "float16") return float16Bits(value);
  SCRATCH[0] = value;
  const bits = SCRATCH_BITS[0] ?? 0;
  if (Number.isNaN(value)) return ((bits >>> 16) | 0x40) & 0xffff;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}
