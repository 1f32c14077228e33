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
import { invocationOf, laneOf, workgroupOf } from "../../lang/expr.ts";
import type { Expr, Kernel, Statement } from "../../lang/kernel.ts";
import { philox } from "../../lang/philox.ts";
import { assign, BARRIER, forRange, letIn, Names, store, storeShared, varIn, when } from "../../lang/statements.ts";
import { blocksMax, blocksOf, chunkOf, inChunk, tableWords, type ChunkInKernel, type CodecKernels, type PackedArray } from "./chunks.ts"; // prettier-ignore

const { add, and, bitcast, cast, divide, equal, f32, i32, less, lessEqual, load, loadShared, maximum, minimum, multiply, remainder, select, shiftLeft, shiftRight, subtract, u32, unary } = build; // prettier-ignore

/** Values of a block; chunks of `BLOCK`^2 values or more have a block for each of their rows and columns. */
const BLOCK = 32;
/** Lanes of a workgroup that has a chunk. */
const LANES = 16;
/** Words of a message before its matrices. */
const HEAD_WORDS = 2;
const MAGNITUDE = 0x7fff_ffff;
const INFINITE = 0x7f80_0000;
const NAN = 0x7fc0_0000;
/** Exponents of float32's bits: of what is not finite, of 1, of 2^-100, below which values count as zeros. */
const EXPONENT = { infinite: 255, one: 127, tiny: 27 };
/** What is left of a column beside the ones before it, when it is no more than rounding; of its length, squared. */
const RESIDUE_MAX = 1e-10;

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

interface Factors {
  readonly array: PackedArray;
  readonly rank: number;
  readonly messageWords: number;
}

/** A chunk's matrix; all i32. */
interface MatrixInKernel {
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

type Access = "read" | "write" | "readWrite";

function bound(length: number, access: Access): Kernel["bindings"][number] {
  return { type: "u32", access, length };
}

function nameOf({ array, rank }: Factors, what: string): string {
  return `PowerSGD of ${array.count} values, rank ${rank}: ${what}`;
}

/** A kernel with invocations for blocks: the first binding, the table, and the others. */
function blockKernel(
  what: string,
  factors: Factors,
  [first, ...others]: readonly [Kernel["bindings"][number], ...Kernel["bindings"]],
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
function chunkKernel(
  what: string,
  factors: Factors,
  [first, last]: readonly [Kernel["bindings"][number], Kernel["bindings"][number]],
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
    workgroup: { lanes: LANES, shared: [{ type: "f32", length: LANES, isStoredFirst: true }, { type: "u32", length: LANES, isStoredFirst: true }] }, // prettier-ignore
    keepsLoops: true,
    body: [...lets, ...body(names, chunk, matrix)],
  };
}

/** `body` for each of `lines` rows or columns that falls to number `own` of `count` invocations. */
function eachOf(
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

const ofLanes = [laneOf(LANES), i32(LANES)] as const;

function ceilDivide(a: Expr, b: Expr): Expr {
  return divide(add(a, subtract(b, i32(1))), b);
}

/** What all lanes stored of `value`, combined; every lane has it. */
function combined(
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
function inverseOf(exponent: Expr): Expr {
  return powerOf(subtract(i32(2 * EXPONENT.one), exponent));
}

/** The power of two with these exponent's bits; the smallest for less than 1. */
function powerOf(exponent: Expr): Expr {
  return bitcast("f32", shiftLeft(cast("u32", maximum(i32(1), exponent)), u32(23)));
}

function exponentOf(bits: Expr): Expr {
  return cast("i32", shiftRight(and(bits, u32(MAGNITUDE)), u32(23)));
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
  const words = (access: Access): Kernel["bindings"][number] => bound(messageWords, access);
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

/**
 * Bindings: exponents, table, messages, whose P becomes orthonormal, column after column (modified Gram-Schmidt, twice);
 * NaN where M is not finite, zeros where it is tiny. A lane has its rows to itself.
 */
function orthonormalize(factors: Factors): Kernel {
  const { rank, messageWords } = factors;
  const bindings = [bound(messageWords, "read"), bound(messageWords, "readWrite")] as const;
  return chunkKernel("P", factors, bindings, (names, _, matrix) => {
    const exponentAt = (row: Expr): Expr => cast("i32", load(0, add(matrix.word, row), "u32"));
    const largest = varIn(names, "largest", u32(0));
    const find = eachOf(names, matrix.rows, ofLanes, (row) => [
      assign(largest.use, maximum(largest.use, load(0, add(matrix.word, row), "u32"))),
    ]);
    const most = combined(names, largest.use, maximum);
    const exponent = letIn(names, "exponent", cast("i32", most.use));
    const rescale = eachOf(names, matrix.rows, ofLanes, (row) => {
      const difference = subtract(exponentAt(row), exponent.use);
      const scale = letIn(names, "scale", powerOf(add(difference, i32(EXPONENT.one))));
      const scaled = each(rank, (column) => {
        const value = entry(matrix, row, column, rank);
        return value.put(multiply(value.get, scale.use));
      });
      return [scale.statement, ...scaled];
    });
    const columns = each(rank, (column) => columnMadeNormal(names, matrix, { column, rank, exponent: exponent.use }));
    return [largest.statement, find, ...most.statements, exponent.statement, rescale, ...columns.flat()];
  });
}

/** An element of P in binding 2. */
function entry(
  { left }: MatrixInKernel,
  row: Expr,
  column: number,
  rank: number,
): { get: Expr; put: (value: Expr) => Statement } {
  // prettier-ignore
  const place = add(left, add(multiply(row, i32(rank)), i32(column)));
  return { get: bitcast("f32", load(2, place, "u32")), put: (value) => store(2, place, bitcast("u32", value)) };
}

interface ColumnOfMatrix {
  readonly column: number;
  readonly rank: number;
  /** Of the largest value of M. */
  readonly exponent: Expr;
}

/** One column of P, beside those before it. */
function columnMadeNormal(
  names: Names,
  matrix: MatrixInKernel,
  { column, rank, exponent }: ColumnOfMatrix,
): Statement[] {
  const dot = (other: number): ReturnType<typeof combined> => {
    const sum = varIn(names, "sum", f32(0));
    const loop = eachOf(names, matrix.rows, ofLanes, (row) => [
      assign(
        sum.use,
        add(sum.use, multiply(entry(matrix, row, other, rank).get, entry(matrix, row, column, rank).get)),
      ),
    ]);
    const all = combined(names, sum.use, add);
    return { statements: [sum.statement, loop, ...all.statements], use: all.use };
  };
  const remove = (): Statement[] =>
    each(column, (before) => {
      const along = dot(before);
      const loop = eachOf(names, matrix.rows, ofLanes, (row) => {
        const own = entry(matrix, row, column, rank);
        return [own.put(subtract(own.get, multiply(along.use, entry(matrix, row, before, rank).get)))];
      });
      return [...along.statements, loop];
    }).flat();
  const whole = dot(column);
  const once = remove();
  const rest = dot(column);
  const isNew = and(less(multiply(whole.use, f32(RESIDUE_MAX)), rest.use), lessEqual(i32(EXPONENT.tiny), exponent));
  const twice = remove(); // What rounding left of the others in a small rest.
  const length = dot(column);
  const inverse = letIn(names, "inverse", select(isNew, divide(f32(1), unary("sqrt", length.use)), f32(0)));
  const isFinite = less(exponent, i32(EXPONENT.infinite));
  const scale = eachOf(names, matrix.rows, ofLanes, (row) => {
    const own = entry(matrix, row, column, rank);
    return [own.put(select(isFinite, multiply(own.get, inverse.use), bitcast("f32", u32(NAN))))];
  });
  const sums = [...whole.statements, ...once, ...rest.statements, ...twice, ...length.statements];
  return [...sums, inverse.statement, scale];
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
          assign(use, add(use, multiply(value.use, entry(matrix, row, inner, rank).get))),
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

function each<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}
