/**
 * What becomes of a gradient before and after it is packed: sums over slots, what packing left out, and sums over members.
 * All float32.
 */
import { add, bitcast, cast, equal, f32, i32, less, load, multiply, select, subtract } from "../../lang/build.ts";
import { invocationOf } from "../../lang/expr.ts";
import type { Expr, Kernel, Statement } from "../../lang/kernel.ts";
import { assign, forRange, Names, store, varIn, when } from "../../lang/statements.ts";
import { isOwnIn, tableWords, type PackedArray } from "./chunks.ts";

/** sum = 0 + weight * x. Bindings: x, f32 [count]; sum, f32 [count]. 8 bytes an element. */
export function beginSum(count: number, weight: number): Kernel {
  const at = invocationOf(count);
  const product = multiply(load(0, at, "f32"), f32(weight));
  return {
    name: `a sum of ${count} begins`,
    bindings: [
      { type: "f32", access: "read", length: count },
      { type: "f32", access: "write", length: count },
    ],
    invocations: count,
    body: [store(1, at, select(equal(product, f32(0)), f32(0), product))], // No negative zero, as in a sum.
  };
}

/** sum = sum + weight * x. Bindings: x, f32 [count]; sum, f32 [count]. 12 bytes an element. */
export function addToSum(count: number, weight: number): Kernel {
  const at = invocationOf(count);
  return {
    name: `${count} elements added to a sum`,
    bindings: [
      { type: "f32", access: "read", length: count },
      { type: "f32", access: "readWrite", length: count },
    ],
    invocations: count,
    body: [store(1, at, add(load(1, at, "f32"), multiply(load(0, at, "f32"), f32(weight))))],
  };
}

/** left = values - left, which are what was sent; 0 in the table's own range. Bindings: values, table, left. 12 bytes an element. */
export function leaveRest(array: PackedArray): Kernel {
  const { count } = array;
  const at = invocationOf(count);
  const rest = subtract(load(0, at, "f32"), load(2, at, "f32"));
  return {
    name: `what ${count} packed values left out`,
    bindings: [
      { type: "f32", access: "read", length: count },
      { type: "u32", access: "read", length: tableWords(array) },
      { type: "f32", access: "readWrite", length: count },
    ],
    invocations: count,
    body: [store(2, at, select(isOwnIn(1, at), f32(0), rest))],
  };
}

/** Contributions to the same elements, in order. */
export interface PartsTable {
  /** Elements of each. */
  readonly length: number;
  /** How many are in the array of parts, one after another. */
  readonly parts: number;
  /** Before which of them, or after all, the one comes that the array `values` has from element `from` on; null for none. */
  readonly own: { readonly place: number; readonly from: number } | null;
  /** They are added to the sum as it is. */
  readonly goesOn: boolean;
}

const [LENGTH, PARTS, PLACE, OWN, OWN_FROM, GOES_ON] = [0, 1, 2, 3, 4, 5];
/** u32 words of a `PartsTable`. */
export const PARTS_WORDS = 6;

/** As `addParts` reads it. */
export function writeParts({ length, parts, own, goesOn }: PartsTable): Uint32Array<ArrayBuffer> {
  return Uint32Array.of(length, parts, own?.place ?? parts, own === null ? 0 : 1, own?.from ?? 0, goesOn ? 1 : 0);
}

/**
 * Adds parts up in their order, as their table says, into the first elements of a sum, rounding each time. No sum is
 * negative zero: some devices do not tell zeros apart.
 *
 * Bindings: parts, f32 [count]; values, f32 [count]; table, u32 [PARTS_WORDS]; sum, f32 [count]. 4 bytes an element of each
 * part, and 4 or 8 more.
 */
export function addParts(count: number): Kernel {
  const names = new Names();
  const at = invocationOf(count);
  const word = (field: number): Expr => cast("i32", load(2, i32(field), "u32"));
  // As bits it is rounded each time: the reference, whose variables keep more, has the sums of the others.
  const bits = varIn(names, "bits", bitcast("u32", select(equal(word(GOES_ON), i32(0)), f32(0), load(3, at, "f32"))));
  const sum = bitcast("f32", bits.use);
  const more = (value: Expr): Statement => assign(bits.use, bitcast("u32", add(sum, value)));
  const addFrom = (from: Expr, to: Expr): Statement =>
    forRange(names, "part", from, to, (part) => [more(load(0, add(multiply(part, word(LENGTH)), at), "f32"))]);
  return {
    name: `parts of ${count} elements added up`,
    bindings: [
      { type: "f32", access: "read", length: count },
      { type: "f32", access: "read", length: count },
      { type: "u32", access: "read", length: PARTS_WORDS },
      { type: "f32", access: "readWrite", length: count },
    ],
    invocations: count,
    keepsLoops: true,
    body: [
      when(less(at, word(LENGTH)), [
        bits.statement,
        addFrom(i32(0), word(PLACE)),
        when(equal(word(OWN), i32(1)), [more(load(1, add(word(OWN_FROM), at), "f32"))]),
        addFrom(word(PLACE), word(PARTS)),
        store(3, at, select(equal(sum, f32(0)), f32(0), sum)),
      ]),
    ],
  };
}
