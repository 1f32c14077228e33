/** Where an engine has no 128-bit vectors: four rows of parity are one 32-bit table lookup a byte of data. */
import type { Bytes } from "../../base/bytes.ts";
import { multiply, type Matrix } from "./galois.ts";

/** Rows that one pass computes: bytes of a word. */
const LANES = 4;
/** Bytes in a block that stays in the processor's cache between the inputs. */
const BLOCK_BYTES = 4_096;

/** outputs[r][i] = sum over j of rows[r][j] * inputs[j][i]. */
export function combineWords(rows: Matrix, inputs: readonly Bytes[], outputs: readonly Bytes[]): void {
  for (let from = 0; from < rows.length; from += LANES) {
    const lanes = rows.slice(from, from + LANES);
    const tables = inputs.map((_, column) => wordTable(lanes.map((row) => row[column] ?? 0)));
    combineLanes(tables, inputs, outputs.slice(from, from + LANES));
  }
}

/** For each byte its products with up to four factors, one a byte of a word. */
function wordTable(factors: readonly number[]): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, value) =>
    factors.reduce((word, factor, lane) => word | (multiply(factor, value) << (8 * lane)), 0),
  );
}

function combineLanes(tables: readonly Uint32Array[], inputs: readonly Bytes[], outputs: readonly Bytes[]): void {
  const bytes = inputs[0]?.byteLength ?? 0;
  const words = new Uint32Array(BLOCK_BYTES);
  for (let from = 0; from < bytes; from += BLOCK_BYTES) {
    const size = Math.min(BLOCK_BYTES, bytes - from);
    words.fill(0);
    for (const [column, input] of inputs.entries()) {
      const table = tables[column] as Uint32Array;
      for (let i = 0; i < size; i++) words[i] = (words[i] as number) ^ (table[input[from + i] as number] as number);
    }
    for (const [lane, output] of outputs.entries()) {
      const shift = 8 * lane;
      for (let i = 0; i < size; i++) output[from + i] = (words[i] as number) >>> shift;
    }
  }
}
