/**
 * Low-rank messages after PowerSGD (Vogels, Karimireddy & Jaggi, 2019): a chunk as a nearly square matrix M becomes
 * P Q^T by one power iteration, which goes on where the last one of the same chunk ended.
 *
 * Unlike there, each message is factored on its own, and factors are not summed: so any verb and program takes it. Use
 * it with `withErrorFeedback`.
 */
import { bytesOf, concatBytes } from "../../../base/bytes.ts";
import { OptionError } from "../../../base/errors.ts";
import { Random } from "../../../base/random.ts";
import type { Codec } from "./codec.ts";
import { PackedReader } from "./packed.ts";

/** Row-major. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array<ArrayBuffer>;
}

/** n values become about 2 `rank` sqrt(n). */
export function powerSgdCodec(rank: number): Codec {
  if (!Number.isInteger(rank) || rank < 1)
    throw new OptionError(`powerSgdCodec: expected a rank from 1, found ${rank}`);
  const starts = new Map<string, Matrix>();
  return {
    name: `PowerSGD of rank ${rank}`,
    encode(values, { chunk, isOwn }) {
      const matrix = squared(values);
      const key = `${chunk} ${isOwn} ${values.length}`;
      const start = starts.get(key) ?? randomMatrix(matrix.columns, Math.min(rank, matrix.columns));
      const left = orthonormal(multiply(matrix, start));
      const right = multiply(transposed(matrix), left);
      starts.set(key, right);
      const counts = Uint32Array.of(values.length, left.columns);
      return concatBytes([bytesOf(counts), bytesOf(left.values), bytesOf(right.values)]);
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

function randomMatrix(rows: number, columns: number): Matrix {
  const random = new Random("PowerSGD", rows, columns);
  return { rows, columns, values: Float32Array.from({ length: rows * columns }, () => random.normal()) };
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
  for (let row = 0; row < a.rows; row++) {
    for (let inner = 0; inner < a.columns; inner++) {
      const factor = a.values[row * a.columns + inner] ?? 0;
      for (let column = 0; column < b.columns; column++) {
        const at = row * b.columns + column;
        out[at] = (out[at] ?? 0) + factor * (b.values[inner * b.columns + column] ?? 0);
      }
    }
  }
  return { rows: a.rows, columns: b.columns, values: out };
}

/** What is left of a column beside the ones before it, when it is no more than rounding. */
const RESIDUE_MAX = 1e-5;

/** Columns made orthonormal one after another (modified Gram-Schmidt); one that says nothing new becomes zero. */
function orthonormal({ rows, columns, values }: Matrix): Matrix {
  const out = values.slice();
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
      out[at] = length > Math.max(1e-30, RESIDUE_MAX * whole) ? (out[at] ?? 0) / length : 0;
    }
  }
  return { rows, columns, values: out };
}
