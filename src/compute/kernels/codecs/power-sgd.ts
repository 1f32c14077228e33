/**
 * Chunks as products of two thin matrices: the messages of `network`'s `powerSgdCodec`, but for rounding. A chunk is a
 * nearly square matrix M, row by row, as M' with its largest value between 1 and 2. Three steps make its message P, Q:
 *
 *     start = Q of the last message, each column by its own scale; at random where that is nothing
 *     P = orthonormal(M' start)
 *     Q = M^T P
 *
 * Rows and columns are each summed by one invocation, in float32; lengths and dot products of columns by a workgroup a
 * chunk. Whether values are finite is told by their bits, since devices compute anything from NaN.
 */
import { assert } from "../../../base/assert.ts";
import * as build from "../../lang/build.ts";
import type { Binding, Expr, Kernel } from "../../lang/kernel.ts";
import { philox } from "../../lang/philox.ts";
import { assign, forRange, letIn, store, varIn, when } from "../../lang/statements.ts";
import { blocksOf, bound, type CodecKernels, type PackedArray } from "./chunks.ts";
import { BLOCK, blockKernel, ceilDivide, chunkKernel, combined, each, eachOf, entry, EXPONENT, exponentOf, HEAD_WORDS, inverseOf, MAGNITUDE, NAN, ofLanes, type Factors, type MatrixInKernel } from "./low-rank.ts"; // prettier-ignore
import { orthonormalize } from "./orthonormalize.ts";

const { add, and, bitcast, cast, divide, equal, f32, i32, less, lessEqual, load, maximum, minimum, multiply, remainder, select, shiftRight, subtract, u32 } = build; // prettier-ignore

const INFINITE = 0x7f80_0000;

/** Columns of the matrix that `count` values make. */
export function columnsOf(count: number): number {
  return Math.ceil(Math.sqrt(count));
}

/** Bytes of a message of `count` values. */
export function powerSgdBytes(count: number, rank: number): number {
  const columns = columnsOf(count);
  return 4 * (HEAD_WORDS + rank * (Math.ceil(count / columns) + columns));
}

/**
 * About 8 `rank` sqrt(n) bytes for n values. Four dispatches to pack, which read each value three times and do 4 `rank`
 * operations with it; one to unpack. Of chunks the table's `extent` is their columns.
 */
export function powerSgdKernels(array: PackedArray, rank: number): CodecKernels {
  assert(Number.isInteger(rank) && rank >= 1, `powerSgdKernels: expected a rank from 1, found ${rank}`);
  const { count, chunksMax } = array;
  // A matrix of n values has at most 2 sqrt(n) + 2 rows and columns; chunks of one size have the most.
  const lines = Math.ceil(2 * Math.sqrt(chunksMax * count)) + 2 * chunksMax;
  const factors: Factors = { array, rank, messageWords: HEAD_WORDS * chunksMax + rank * lines };
  return {
    blockValues: BLOCK,
    messageWords: factors.messageWords,
    goesOn: true,
    scratch: { start: factors.messageWords, exponents: factors.messageWords },
    pack: [
      { kernel: begin(factors), arrays: ["before", "table", "start"] },
      { kernel: project(factors), arrays: ["values", "table", "start", "messages", "exponents"] },
      { kernel: orthonormalize(factors), arrays: ["exponents", "table", "messages"] },
      { kernel: rightOf(factors), arrays: ["values", "table", "messages"] },
    ],
    unpack: [{ kernel: product(factors), arrays: ["messages", "table", "sent"] }],
  };
}

/** Bindings: the last messages, table, start: what Q is there, in its place. */
function begin(factors: Factors): Kernel {
  const { rank, messageWords } = factors;
  const bindings = [bound(messageWords, "read"), bound(messageWords, "write")] as const;
  return chunkKernel("start", factors, bindings, (names, chunk, { columns, right }) => {
    const place = (row: Expr, column: number): Expr => add(right, add(multiply(row, i32(rank)), i32(column)));
    const all = each(rank, () => varIn(names, "largest", u32(0)));
    const find = eachOf(names, columns, ofLanes, (row) =>
      all.map(({ use }, column) => assign(use, maximum(use, and(load(0, place(row, column), "u32"), u32(MAGNITUDE))))),
    );
    const largest = all.map(({ use }) => combined(names, use, maximum));
    const known = largest.map(({ use }) => letIn(names, "exponent", exponentOf(use)));
    const random = (row: Expr): Expr[] => {
      const quads = Math.ceil(rank / 4);
      return each(quads, (quad) => {
        const counter = cast("u32", add(multiply(row, i32(quads)), i32(quad)));
        return philox([counter, chunk.chunk, chunk.operation, chunk.rank], [chunk.seed, u32(rank)]);
      }).flat();
    };
    const write = eachOf(names, columns, ofLanes, (row) => {
      const words = random(row);
      return known.map(({ use: exponent }, column) => {
        const old = multiply(bitcast("f32", load(0, place(row, column), "u32")), inverseOf(exponent));
        const anew = subtract(
          multiply(cast("f32", shiftRight(words[column] ?? u32(0), u32(8))), f32(2 ** -23)),
          f32(1),
        );
        const isKnown = and(less(exponent, i32(EXPONENT.infinite)), lessEqual(i32(EXPONENT.tiny), exponent));
        return store(2, place(row, column), bitcast("u32", select(isKnown, old, anew)));
      });
    });
    return [
      ...all.map(({ statement }) => statement),
      find,
      ...largest.flatMap(({ statements }) => statements),
      ...known.map(({ statement }) => statement),
      write,
    ];
  });
}

/** Bindings: values, table, start, messages, exponents: rows of M start, each by its own scale, and which that is. */
function project(factors: Factors): Kernel {
  const { array, rank, messageWords } = factors;
  const words = (access: Binding["access"]): Binding => bound(messageWords, access);
  const bindings = [bound(array.count, "read"), words("read"), words("write"), words("write")] as const;
  return blockKernel("rows", factors, bindings, (names, chunk, matrix, block) => [
    eachOf(names, matrix.rows, [block, blocksOf(chunk, BLOCK)], (row) => {
      const from = letIn(names, "from", multiply(row, matrix.columns));
      const length = letIn(names, "length", minimum(matrix.columns, subtract(chunk.count, from.use)));
      const bitsAt = (at: Expr): Expr => load(0, add(chunk.first, add(from.use, at)), "u32");
      const largest = varIn(names, "largest", u32(0));
      const find = forRange(names, "at", i32(0), length.use, (at) => [
        assign(largest.use, maximum(largest.use, and(bitsAt(at), u32(MAGNITUDE)))),
      ]);
      const exponent = letIn(names, "exponent", exponentOf(largest.use));
      const scale = letIn(names, "scale", inverseOf(exponent.use));
      const sums = each(rank, () => varIn(names, "sum", f32(0)));
      const sum = forRange(names, "at", i32(0), length.use, (at) => {
        const value = letIn(names, "value", multiply(bitcast("f32", bitsAt(at)), scale.use));
        const place = letIn(names, "place", add(matrix.right, multiply(at, i32(rank))));
        const adds = sums.map(({ use }, column) => {
          const factor = bitcast("f32", load(2, add(place.use, i32(column)), "u32"));
          return assign(use, add(use, multiply(value.use, factor)));
        });
        return [value.statement, place.statement, ...adds];
      });
      const stores = sums.map(({ use }, column) =>
        store(3, add(matrix.left, add(multiply(row, i32(rank)), i32(column))), bitcast("u32", use)),
      );
      return [
        from.statement,
        length.statement,
        largest.statement,
        find,
        exponent.statement,
        scale.statement,
        ...sums.map(({ statement }) => statement),
        sum,
        ...stores,
        store(4, add(matrix.word, row), cast("u32", exponent.use)),
      ];
    }),
  ]);
}

/** Bindings: values, table, messages, of which Q and the head are written. */
function rightOf(factors: Factors): Kernel {
  const { array, rank, messageWords } = factors;
  const bindings = [bound(array.count, "read"), bound(messageWords, "readWrite")] as const;
  return blockKernel("Q", factors, bindings, (names, chunk, matrix, block) => {
    const isFinite = letIn(names, "finite", isFiniteAt(2, matrix));
    const lines = eachOf(names, matrix.columns, [block, blocksOf(chunk, BLOCK)], (column) => {
      const sums = each(rank, () => varIn(names, "sum", f32(0)));
      const rows = ceilDivide(subtract(chunk.count, column), matrix.columns);
      const sum = forRange(names, "row", i32(0), rows, (row) => {
        const at = add(chunk.first, add(multiply(row, matrix.columns), column));
        const value = letIn(names, "value", bitcast("f32", load(0, at, "u32")));
        const adds = sums.map(({ use }, inner) =>
          assign(use, add(use, multiply(value.use, entry(matrix, row, inner, rank).value))),
        );
        return [value.statement, ...adds];
      });
      const stores = sums.map(({ use }, inner) => {
        const place = add(matrix.right, add(multiply(column, i32(rank)), i32(inner)));
        return store(2, place, select(isFinite.use, bitcast("u32", use), u32(NAN)));
      });
      return [...sums.map(({ statement }) => statement), sum, ...stores];
    });
    const head = when(equal(block, i32(0)), [
      store(2, chunk.word, cast("u32", chunk.count)),
      store(2, add(chunk.word, i32(1)), u32(rank)),
    ]);
    return [isFinite.statement, lines, head];
  });
}

/** Whether a message is of values that are finite: P says so. */
function isFiniteAt(binding: number, { left }: MatrixInKernel): Expr {
  return lessEqual(and(load(binding, left, "u32"), u32(MAGNITUDE)), u32(INFINITE));
}

/** Bindings: messages, table, values: P Q^T. */
function product(factors: Factors): Kernel {
  const { array, rank, messageWords } = factors;
  const bindings = [bound(messageWords, "read"), bound(array.count, "write")] as const;
  return blockKernel("unpacked", factors, bindings, (names, chunk, matrix, block) => {
    const isFinite = letIn(names, "finite", isFiniteAt(0, matrix));
    const from = multiply(block, i32(BLOCK));
    const loop = forRange(names, "at", from, minimum(chunk.count, add(from, i32(BLOCK))), (at) => {
      const row = letIn(names, "row", add(matrix.left, multiply(divide(at, matrix.columns), i32(rank))));
      const column = letIn(names, "column", add(matrix.right, multiply(remainder(at, matrix.columns), i32(rank))));
      const factor = (first: Expr, inner: number): Expr => bitcast("f32", load(0, add(first, i32(inner)), "u32"));
      const products = each(rank, (inner) => multiply(factor(row.use, inner), factor(column.use, inner)));
      const value = products.reduce((sum, one) => add(sum, one));
      const bits = select(isFinite.use, bitcast("u32", value), u32(NAN));
      return [row.statement, column.statement, store(2, add(chunk.first, at), bits)];
    });
    return [isFinite.statement, loop];
  });
}
