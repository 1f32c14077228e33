/**
 * Low-rank messages after PowerSGD (Vogels, Karimireddy & Jaggi, 2019): a chunk as a nearly square matrix M becomes
 * P Q^T by one power iteration, which goes on where the last one of the same chunk ended. A column that it has nothing
 * for begins anew, at random.
 *
 * Unlike there, each message is factored on its own, and factors are not summed: so any verb and program takes it. Use
 * it with `withErrorFeedback`.
 *
 * A message is the count of values and the rank, then P and Q, row by row. Devices make the same by
 * `compute/kernels/codecs`, but for rounding.
 */
import { bytesOf, concatBytes } from "../../../base/bytes.ts";
import { OptionError } from "../../../base/errors.ts";
import { philox } from "../../../base/random.ts";
import type { Codec, CodecPlace } from "./codec.ts";
import { PackedReader } from "./packed.ts";

/** How a power iteration begins. */
export interface PowerSgdOptions {
  /** Which random numbers it begins with; 0 if left out. */
  readonly seed?: number;
}

/** Row-major. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array<ArrayBuffer>;
}

/** Where the iteration of a chunk stands: the operation that it was last packed for, its Q before that, and after. */
interface Memory {
  readonly operation: number;
  readonly before: Matrix | null;
  readonly after: Matrix;
}

/** n values become about 2 `rank` sqrt(n). One that is not finite makes all of its message NaN. */
export function powerSgdCodec(rank: number, { seed = 0 }: PowerSgdOptions = {}): Codec {
  if (!Number.isInteger(rank) || rank < 1)
    throw new OptionError(`powerSgdCodec: expected a rank from 1, found ${rank}`);
  const memories = new Map<string, Memory>();
  return {
    name: `PowerSGD of rank ${rank}`,
    encode(values, place) {
      const key = `${place.chunk} ${place.isOwn} ${values.length}`;
      const memory = memories.get(key);
      // Done again after a failure, an operation begins as it did before.
      const before = memory?.operation === place.operation ? memory.before : (memory?.after ?? null);
      const { left, right } = factored(squared(values), startOf(before, columnsFor(values.length), rank, place, seed));
      memories.set(key, { operation: place.operation, before, after: right });
      return concatBytes([bytesOf(Uint32Array.of(values.length, rank)), bytesOf(left.values), bytesOf(right.values)]);
    },
    decode(bytes) {
      const reader = new PackedReader("PowerSGD", bytes);
      const [length, inner] = [reader.count(), reader.count()];
      const columns = columnsFor(length);
      const rows = columns === 0 ? 0 : Math.ceil(length / columns);
      const left = { rows, columns: inner, values: reader.floats(rows * inner) };
      const right = { rows: columns, columns: inner, values: reader.floats(columns * inner) };
      reader.end();
      return multiply(left, transposed(right)).values.slice(0, length);
    },
  };
}

function columnsFor(length: number): number {
  return Math.ceil(Math.sqrt(length));
}

/** Padded with zeros. */
function squared(values: Float32Array<ArrayBuffer>): Matrix {
  const columns = columnsFor(values.length);
  const rows = columns === 0 ? 0 : Math.ceil(values.length / columns);
  const padded = new Float32Array(rows * columns);
  padded.set(values);
  return { rows, columns, values: padded };
}

/** 2^-100: a matrix of less is zeros, and so is a column, since some devices have no numbers near 2^-126. */
const TINY = 2 ** -100;

/** M is about P Q^T, where P spans M times `start`. */
function factored(matrix: Matrix, start: Matrix): { readonly left: Matrix; readonly right: Matrix } {
  const largest = largestOf(matrix.values);
  const left = orthonormal(multiply(matrix, start));
  if (!Number.isFinite(largest)) left.values.fill(Number.NaN);
  if (largest < TINY) left.values.fill(0);
  return { left, right: multiply(transposed(matrix), left) };
}

function largestOf(values: Float32Array): number {
  let largest = 0;
  for (const value of values) {
    if (Number.isNaN(value)) return value;
    largest = Math.max(largest, Math.abs(value));
  }
  return largest;
}

/** The columns of `before`, and numbers in [-1, 1) for those that are nothing. Their lengths say nothing. */
function startOf(before: Matrix | null, rows: number, rank: number, place: CodecPlace, seed: number): Matrix {
  const { operation, rank: own, chunk } = place;
  const values = new Float32Array(rows * rank);
  for (let column = 0; column < rank; column++) {
    const at = (row: number): number => row * rank + column;
    const old = Float32Array.from({ length: rows }, (_, row) => before?.values[at(row)] ?? 0);
    const largest = largestOf(old);
    const isKnown = Number.isFinite(largest) && largest >= TINY;
    const [quads, quad] = [Math.ceil(rank / 4), Math.floor(column / 4)];
    for (let row = 0; row < rows; row++) {
      if (isKnown) values[at(row)] = (old[row] ?? 0) / largest;
      else {
        const words = philox([row * quads + quad, chunk, operation, own], [seed >>> 0, rank]);
        values[at(row)] = ((words[column % 4] ?? 0) >>> 8) / 2 ** 23 - 1;
      }
    }
  }
  return { rows, columns: rank, values };
}

function transposed({ rows, columns, values }: Matrix): Matrix {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column] ?? 0;
  }
  return { rows: columns, columns: rows, values: out };
}

function multiply(a: Matrix, b: Matrix): Matrix {
  const out = new Float32Array(a.rows * b.columns);
  const sums = new Float64Array(b.columns);
  for (let row = 0; row < a.rows; row++) {
    sums.fill(0);
    for (let inner = 0; inner < a.columns; inner++) {
      const factor = a.values[row * a.columns + inner] ?? 0;
      for (let column = 0; column < b.columns; column++)
        sums[column] = (sums[column] ?? 0) + factor * (b.values[inner * b.columns + column] ?? 0);
    }
    out.set(sums, row * b.columns);
  }
  return { rows: a.rows, columns: b.columns, values: out };
}

/** What is left of a column beside the ones before it, when it is no more than rounding. */
const RESIDUE_MAX = 1e-5;

/** Columns made orthonormal one after another (modified Gram-Schmidt); one that says nothing new becomes zero. */
function orthonormal({ rows, columns, values }: Matrix): Matrix {
  const out = Float64Array.from(values);
  const dot = (a: number, b: number): number => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += (out[row * columns + a] ?? 0) * (out[row * columns + b] ?? 0);
    return sum;
  };
  for (let column = 0; column < columns; column++) {
    const whole = Math.sqrt(dot(column, column));
    for (let before = 0; before < column; before++) {
      const along = dot(before, column);
      for (let row = 0; row < rows; row++) {
        const at = row * columns + column;
        out[at] = (out[at] ?? 0) - along * (out[row * columns + before] ?? 0);
      }
    }
    const length = Math.sqrt(dot(column, column));
    for (let row = 0; row < rows; row++) {
      const at = row * columns + column;
      out[at] = length > RESIDUE_MAX * whole ? (out[at] ?? 0) / length : 0;
    }
  }
  return { rows, columns, values: Float32Array.from(out) };
}
