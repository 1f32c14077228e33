/**
 * Reed-Solomon codes: k shards of data and m of parity, from any k of which the others can be computed.
 *
 * Systematic, over a Cauchy matrix (Blömer et al., 1995): every square part of one has an inverse, so any k will do.
 * Costs k * m products a column: `npm run bench -- reed-solomon`.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { MissingDataError, ShapeError } from "../../base/errors.ts";
import { invert, invertMatrix, multiply, type Matrix } from "./galois.ts";
import { combineSimd, hasSimd } from "./simd-kernel.ts";
import { combineWords } from "./word-kernel.ts";

export class ReedSolomon {
  readonly dataShards: number;
  readonly parityShards: number;
  /** Identity above Cauchy: shard i is row i times the data. */
  readonly #rows: Matrix;

  constructor(dataShards: number, parityShards: number) {
    const total = dataShards + parityShards;
    assert(dataShards >= 1 && parityShards >= 0 && total <= 256, `ReedSolomon: ${dataShards} + ${parityShards} shards`);
    this.dataShards = dataShards;
    this.parityShards = parityShards;
    this.#rows = Array.from({ length: total }, (_, row) =>
      Array.from({ length: dataShards }, (_, column) =>
        row < dataShards ? Number(row === column) : invert(row ^ column),
      ),
    );
  }

  /** The parity of `data`, k shards of equal length. */
  encode(data: readonly Bytes[]): Bytes[] {
    return this.#encode(data, 0, this.parityShards);
  }

  /** Parity `row` alone. It is the same however many rows there are. */
  encodeRow(data: readonly Bytes[], row: number): Bytes {
    return this.#encode(data, row, row + 1)[0] as Bytes;
  }

  #encode(data: readonly Bytes[], from: number, to: number): Bytes[] {
    if (data.length !== this.dataShards) {
      throw new ShapeError(`encode: expected ${this.dataShards} shards, found ${data.length}`);
    }
    return combine(this.#rows.slice(this.dataShards + from, this.dataShards + to), data);
  }

  /**
   * All shards, those missing (null) computed from k of the others.
   * @throws MissingDataError when fewer than k are there
   */
  reconstruct(shards: readonly (Bytes | null)[]): Bytes[] {
    const present = shards.flatMap((shard, row) => (shard ? [row] : [])).slice(0, this.dataShards);
    if (present.length < this.dataShards) {
      throw new MissingDataError([], `reconstruct: expected ${this.dataShards} shards, found ${present.length}`);
    }
    const missing = shards.flatMap((shard, row) => (shard ? [] : [row]));
    const inverse = invertMatrix(present.map((row) => this.#rows[row] ?? []));
    assert(inverse !== null, "reconstruct: a Cauchy matrix has an inverse");
    const rows = missing.map((row) => product(this.#rows[row] ?? [], inverse));
    const made = combine(
      rows,
      present.map((row) => shards[row] as Bytes),
    );
    return shards.map((shard, row) => shard ?? (made[missing.indexOf(row)] as Bytes));
  }
}

/** A row times a matrix. */
function product(row: readonly number[], matrix: Matrix): number[] {
  return (matrix[0] ?? []).map((_, column) =>
    row.reduce((sum, factor, at) => sum ^ multiply(factor, matrix[at]?.[column] ?? 0), 0),
  );
}

/** out[r][i] = sum over j of rows[r][j] * inputs[j][i]. */
function combine(rows: Matrix, inputs: readonly Bytes[]): Bytes[] {
  const bytes = inputs[0]?.byteLength ?? 0;
  const odd = inputs.find((input) => input.byteLength !== bytes);
  if (odd) throw new ShapeError(`combine: expected shards of ${bytes} bytes, found one of ${odd.byteLength}`);
  const outputs = rows.map(() => new Uint8Array(bytes));
  if (hasSimd()) combineSimd(rows, inputs, outputs);
  else combineWords(rows, inputs, outputs);
  return outputs;
}
