/**
 * Arithmetic of GF(2^8), the field of bytes: addition is exclusive or, multiplication is of polynomials modulo
 * x^8 + x^4 + x^3 + x^2 + 1 (0x11d), of which 2 generates all but 0.
 */
import { assert } from "../../base/assert.ts";

const POLYNOMIAL = 0x11d;
const ORDER = 255;

/** Powers of 2, twice over, so that a sum of two logarithms needs no remainder. */
const powers = new Uint8Array(2 * ORDER);
const logarithms = new Uint8Array(256);
for (let exponent = 0, value = 1; exponent < ORDER; exponent++) {
  powers[exponent] = value;
  powers[exponent + ORDER] = value;
  logarithms[value] = exponent;
  value <<= 1;
  if (value > 255) value ^= POLYNOMIAL;
}

/** a * b. */
export function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return powers[(logarithms[a] ?? 0) + (logarithms[b] ?? 0)] ?? 0;
}

/** 1 / a. */
export function invert(a: number): number {
  assert(a !== 0, "invert: 0 has no inverse");
  return powers[ORDER - (logarithms[a] ?? 0)] ?? 0;
}

/** A matrix over the field, row by row. */
export type Matrix = readonly (readonly number[])[];

/** The inverse of a square matrix (Gauss and Jordan), or null where there is none. */
export function invertMatrix(matrix: Matrix): number[][] | null {
  const size = matrix.length;
  const rows = matrix.map((row, at) => [...row, ...Array.from({ length: size }, (_, column) => Number(column === at))]);
  for (let column = 0; column < size; column++) {
    const pivot = rows.findIndex((row, at) => at >= column && row[column] !== 0);
    const found = rows[pivot];
    if (!found) return null;
    rows[pivot] = rows[column] as number[];
    const scale = invert(found[column] ?? 0);
    const scaled = found.map((value) => multiply(value, scale));
    rows[column] = scaled;
    for (const [at, row] of rows.entries()) {
      const factor = row[column] ?? 0;
      if (at !== column && factor !== 0) rows[at] = row.map((value, i) => value ^ multiply(factor, scaled[i] ?? 0));
    }
  }
  return rows.map((row) => row.slice(size));
}
