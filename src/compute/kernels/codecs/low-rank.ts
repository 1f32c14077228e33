/** The matrices of PowerSGD's kernels: where they lie in messages, and who goes over their rows and columns. */
import * as build from "../../lang/build.ts";
import { invocationOf, laneOf, workgroupOf } from "../../lang/expr.ts";
import type { Binding, Expr, Kernel, SharedArray, Statement } from "../../lang/kernel.ts";
import { assign, BARRIER, forRange, letIn, Names, store, storeShared, varIn } from "../../lang/statements.ts";
import { blocksMax, bound, chunkOf, inChunk, tableWords, type ChunkInKernel, type PackedArray } from "./chunks.ts";

const { add, and, bitcast, cast, divide, i32, load, loadShared, maximum, multiply, shiftLeft, shiftRight, subtract, u32 } = build; // prettier-ignore

/** Values of a block; chunks of `BLOCK`^2 values or more have a block for each of their rows and columns. */
export const BLOCK = 32;
/** Lanes of a workgroup that has a chunk. */
const LANES = 16;
/** Words of a message before its matrices. */
export const HEAD_WORDS = 2;
export const MAGNITUDE = 0x7fff_ffff;
export const NAN = 0x7fc0_0000;
/** Exponents of float32's bits: of what is not finite, of 1, of 2^-100, below which values count as zeros. */
export const EXPONENT = { infinite: 255, one: 127, tiny: 27 };

export interface Factors {
  readonly array: PackedArray;
  readonly rank: number;
  readonly messageWords: number;
}

/** A chunk's matrix; all i32. */
export interface MatrixInKernel {
  readonly rows: Expr;
  readonly columns: Expr;
  /** Where P and Q begin in the messages. */
  readonly left: Expr;
  readonly right: Expr;
  /** The word before which exponents of rows begin. */
  readonly word: Expr;
}

function matrixOf(names: Names, { count, extent, word }: ChunkInKernel, rank: number): [MatrixInKernel, Statement[]] {
  const columns = letIn(names, "columns", extent);
  const rows = letIn(names, "rows", ceilDivide(count, columns.use));
  const left = letIn(names, "left", add(word, i32(HEAD_WORDS)));
  const right = letIn(names, "right", add(left.use, multiply(rows.use, i32(rank))));
  const matrix = { rows: rows.use, columns: columns.use, left: left.use, right: right.use, word };
  return [matrix, [columns, rows, left, right].map(({ statement }) => statement)];
}

function nameOf({ array, rank }: Factors, what: string): string {
  return `PowerSGD of ${array.count} values, rank ${rank}: ${what}`;
}

/** A kernel with invocations for blocks: the first binding, the table, and the others. */
export function blockKernel(
  what: string,
  factors: Factors,
  [first, ...others]: readonly [Binding, ...Kernel["bindings"]],
  body: (names: Names, chunk: ChunkInKernel, matrix: MatrixInKernel, block: Expr) => readonly Statement[],
): Kernel {
  const names = new Names();
  const invocations = blocksMax(factors.array, BLOCK);
  const block = invocationOf(invocations);
  return {
    name: nameOf(factors, what),
    bindings: [first, bound(tableWords(factors.array), "read"), ...others],
    invocations,
    keepsLoops: true,
    body: [
      inChunk(names, 1, block, (chunk) => {
        const [matrix, lets] = matrixOf(names, chunk, factors.rank);
        return [...lets, ...body(names, chunk, matrix, subtract(block, chunk.firstBlock))];
      }),
    ],
  };
}

/**
 * A kernel with a workgroup for each chunk that there can be, whose lanes share an array of f32 and one of u32. What the
 * table says must not decide about barriers, since it may share its memory with what is written; a chunk that is not
 * there is all zeros, and has neither rows nor columns.
 */
export function chunkKernel(
  what: string,
  factors: Factors,
  [first, last]: readonly [Binding, Binding],
  body: (names: Names, chunk: ChunkInKernel, matrix: MatrixInKernel) => readonly Statement[],
): Kernel {
  const names = new Names();
  const { array, rank } = factors;
  const chunk = chunkOf(1, workgroupOf(array.chunksMax));
  const [matrix, lets] = matrixOf(names, chunk, rank);
  return {
    name: nameOf(factors, what),
    bindings: [first, bound(tableWords(array), "read"), last],
    invocations: LANES * array.chunksMax,
    workgroup: { lanes: LANES, shared: [shared("f32"), shared("u32")] },
    keepsLoops: true,
    body: [...lets, ...body(names, chunk, matrix)],
  };
}

function shared(type: "f32" | "u32"): SharedArray {
  return { type, length: LANES, isStoredFirst: true };
}

/** `body` for each of `lines` rows or columns that falls to number `own` of `count` invocations. */
export function eachOf(
  names: Names,
  lines: Expr,
  [own, count]: readonly [Expr, Expr],
  body: (line: Expr) => readonly Statement[],
): Statement {
  const times = ceilDivide(maximum(i32(0), subtract(lines, own)), count);
  return forRange(names, "time", i32(0), times, (time) => {
    const line = letIn(names, "line", add(own, multiply(time, count)));
    return [line.statement, ...body(line.use)];
  });
}

/** The lanes of a workgroup, as invocations of `eachOf`. */
export const ofLanes: readonly [own: Expr, count: Expr] = [laneOf(LANES), i32(LANES)];

export function ceilDivide(a: Expr, b: Expr): Expr {
  return divide(add(a, subtract(b, i32(1))), b);
}

/** What all lanes stored of `value`, combined; every lane has it. */
export function combined(
  names: Names,
  value: Expr,
  combine: (a: Expr, b: Expr) => Expr,
): { readonly statements: readonly Statement[]; readonly use: Expr } {
  const array = value.type === "f32" ? 0 : 1;
  const type = value.type === "f32" ? "f32" : "u32";
  const all = varIn(names, "all", loadShared(array, i32(0), type));
  const loop = forRange(names, "lanes", i32(1), i32(LANES), (lane) => [
    assign(all.use, combine(all.use, loadShared(array, lane, type))),
  ]);
  const put = storeShared(array, laneOf(LANES), value);
  return { statements: [put, BARRIER, all.statement, loop, BARRIER], use: all.use };
}

/** 2^-e for a value whose exponent's bits are those of 2^e, as nearly as float32 has it; exact below 2^127. */
export function inverseOf(exponent: Expr): Expr {
  return powerOf(subtract(i32(2 * EXPONENT.one), exponent));
}

/** The power of two with these exponent's bits; the smallest for less than 1. */
export function powerOf(exponent: Expr): Expr {
  return bitcast("f32", shiftLeft(cast("u32", maximum(i32(1), exponent)), u32(23)));
}

export function exponentOf(bits: Expr): Expr {
  return cast("i32", shiftRight(and(bits, u32(MAGNITUDE)), u32(23)));
}

interface Entry {
  readonly value: Expr;
  /** Stores its bits. */
  readonly put: (bits: Expr) => Statement;
}

/** An element of P in binding 2. */
export function entry({ left }: MatrixInKernel, row: Expr, column: number, rank: number): Entry {
  const place = add(left, add(multiply(row, i32(rank)), i32(column)));
  return { value: bitcast("f32", load(2, place, "u32")), put: (bits) => store(2, place, bits) };
}

export function each<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}
