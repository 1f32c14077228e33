/**
 * Chunks of one array that are packed by one dispatch, whatever their number and sizes: what changes with the members of
 * a run is data, a table, so that kernels depend on the length of the array alone and are compiled once.
 *
 * The table is u32: of the whole, `operation`, `rank` and `seed` (what stochastic rounding goes by), how many chunks and
 * blocks there are, and the range that is not packed; then six words a chunk. Each invocation of a packing kernel has a
 * *block*, some consecutive values of one chunk.
 */
import { add, and, cast, divide, i32, less, lessEqual, load, multiply } from "../../lang/build.ts";
import type { Binding, Expr, Kernel, Statement } from "../../lang/kernel.ts";
import { assign, forRange, letIn, varIn, when, type Names } from "../../lang/statements.ts";

/** A part of the array that becomes one message. */
export interface PackedChunk {
  /** First value of it in the array. */
  readonly first: number;
  /** Values in it, at least one. */
  readonly count: number;
  /** Its number in the operation. */
  readonly chunk: number;
  /** Where its message begins, in words. */
  readonly word: number;
  /** Of top-k: how many values are sent; of PowerSGD: columns of its matrix. */
  readonly extent: number;
}

/** What a table says. */
export interface ChunkTable {
  readonly operation: number;
  readonly rank: number;
  readonly seed: number;
  /** Values [from, to) that are in no chunk and not packed: they are nobody's loss. */
  readonly own: readonly [from: number, to: number];
  readonly chunks: readonly PackedChunk[];
}

/** Lengths that kernels are made for. */
export interface PackedArray {
  /** Values. */
  readonly count: number;
  readonly chunksMax: number;
}

const HEAD_WORDS = 8;
const CHUNK_WORDS = 6;
const [OPERATION, RANK, SEED, CHUNKS, BLOCKS, OWN_FROM, OWN_TO] = [0, 1, 2, 3, 4, 5, 6];
const [FIRST_BLOCK, FIRST, COUNT, CHUNK, WORD, EXTENT] = [0, 1, 2, 3, 4, 5];

/** u32 words of a table. */
export function tableWords({ chunksMax }: PackedArray): number {
  return HEAD_WORDS + CHUNK_WORDS * chunksMax;
}

/** The most blocks of `blockValues` values that chunks can have: each may end with a part of one. */
export function blocksMax({ count, chunksMax }: PackedArray, blockValues: number): number {
  return Math.ceil(count / blockValues) + chunksMax;
}

/** `table` as the kernels of `array` with blocks of `blockValues` read it. */
export function writeTable(table: ChunkTable, array: PackedArray, blockValues: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(tableWords(array));
  let blocks = 0;
  for (const [at, { first, count, chunk, word, extent }] of table.chunks.entries()) {
    words.set([blocks, first, count, chunk, word, extent], HEAD_WORDS + CHUNK_WORDS * at);
    blocks += Math.ceil(count / blockValues);
  }
  const { operation, rank, seed, own, chunks } = table;
  words.set([operation, rank, seed, chunks.length, blocks, ...own]);
  return words;
}

/** A chunk as a kernel sees it; all i32 but what Philox takes. */
export interface ChunkInKernel {
  /** Its place in the table. */
  readonly at: Expr;
  readonly firstBlock: Expr;
  readonly first: Expr;
  readonly count: Expr;
  readonly word: Expr;
  readonly extent: Expr;
  /** u32: its number, the operation, the rank and the seed. */
  readonly chunk: Expr;
  readonly operation: Expr;
  readonly rank: Expr;
  readonly seed: Expr;
}

/** Number `at` of the table in `binding`. */
export function chunkOf(binding: number, at: Expr): ChunkInKernel {
  const word = (field: number): Expr => load(binding, add(multiply(at, i32(CHUNK_WORDS)), i32(HEAD_WORDS + field)), "u32"); // prettier-ignore
  const whole = (field: number): Expr => cast("i32", word(field));
  return {
    at,
    firstBlock: whole(FIRST_BLOCK),
    first: whole(FIRST),
    count: whole(COUNT),
    word: whole(WORD),
    extent: whole(EXTENT),
    chunk: word(CHUNK),
    operation: load(binding, i32(OPERATION), "u32"),
    rank: load(binding, i32(RANK), "u32"),
    seed: load(binding, i32(SEED), "u32"),
  };
}

/** How many chunks the table in `binding` has, i32. */
export function chunksIn(binding: number): Expr {
  return cast("i32", load(binding, i32(CHUNKS), "u32"));
}

/** Whether value number `at` is in the range that is not packed. */
export function isOwnIn(binding: number, at: Expr): Expr {
  const bound = (field: number): Expr => cast("i32", load(binding, i32(field), "u32"));
  return and(lessEqual(bound(OWN_FROM), at), less(at, bound(OWN_TO)));
}

/** `body` for the chunk that block number `block` of the table in `binding` is in; nothing beyond the last block. */
export function inChunk(
  names: Names,
  binding: number,
  block: Expr,
  body: (chunk: ChunkInKernel) => readonly Statement[],
): Statement {
  const found = varIn(names, "found", i32(0));
  const search = forRange(names, "candidate", i32(1), chunksIn(binding), (at) => [
    when(lessEqual(chunkOf(binding, at).firstBlock, block), [assign(found.use, at)]),
  ]);
  const chunk = chunkOf(binding, found.use);
  const lets: Statement[] = [];
  const once = (stem: string, value: Expr): Expr => {
    const { statement, use } = letIn(names, stem, value);
    lets.push(statement);
    return use;
  };
  const known: ChunkInKernel = {
    at: found.use,
    firstBlock: once("firstBlock", chunk.firstBlock),
    first: once("first", chunk.first),
    count: once("count", chunk.count),
    word: once("place", chunk.word),
    extent: once("extent", chunk.extent),
    chunk: once("chunk", chunk.chunk),
    operation: once("operation", chunk.operation),
    rank: once("rank", chunk.rank),
    seed: once("seed", chunk.seed),
  };
  const blocks = cast("i32", load(binding, i32(BLOCKS), "u32"));
  return when(less(block, blocks), [found.statement, search, ...lets, ...body(known)]);
}

/** Blocks of a chunk, i32. */
export function blocksOf({ count }: ChunkInKernel, blockValues: number): Expr {
  return divide(add(count, i32(blockValues - 1)), i32(blockValues));
}

/** An array of u32, as a kernel is bound to it. */
export function bound(length: number, access: Binding["access"]): Binding {
  return { type: "u32", access, length };
}

/** What one kernel of a codec does, an invocation a block. */
interface CodecKernel {
  readonly name: string;
  readonly array: PackedArray;
  /** u32 words of all messages. */
  readonly messageWords: number;
  readonly blockValues: number;
  readonly body: Statement;
}

/** Bindings: the values' bits, u32 [count]; the table; the messages, u32 [messageWords], which it writes. */
export function packingKernel({ array, messageWords, ...kernel }: CodecKernel): Kernel {
  return blockKernel(array, kernel, [array.count, messageWords]);
}

/** Bindings: the messages, u32 [messageWords]; the table; the values' bits, u32 [count], which it writes. */
export function unpackingKernel({ array, messageWords, ...kernel }: CodecKernel): Kernel {
  return blockKernel(array, kernel, [messageWords, array.count]);
}

function blockKernel(
  array: PackedArray,
  { name, blockValues, body }: Pick<CodecKernel, "name" | "blockValues" | "body">,
  [read, written]: readonly [number, number],
): Kernel {
  return {
    name,
    bindings: [bound(read, "read"), bound(tableWords(array), "read"), bound(written, "write")],
    invocations: blocksMax(array, blockValues),
    keepsLoops: true,
    body: [body],
  };
}

/**
 * A kernel, and the arrays it is bound to by name: `values` and `sent` of the array, its `table`, its `messages` and
 * those `before`, or scratch.
 */
export interface KernelCall {
  readonly kernel: Kernel;
  readonly arrays: readonly string[];
}

/** A codec as kernels on one array of float32 values, bound as their bits. */
export interface CodecKernels {
  /** Values in a block of its table. */
  readonly blockValues: number;
  /** u32 words that hold all messages, whatever the chunks. */
  readonly messageWords: number;
  /**
   * Whether packing goes on from the messages that the same chunks became last, which are `before`; zeros where there
   * are none.
   */
  readonly goesOn: boolean;
  /** u32 words of arrays that it needs besides, by name. */
  readonly scratch: Readonly<Record<string, number>>;
  /** Makes `messages` of `values`. */
  readonly pack: readonly KernelCall[];
  /** Makes `sent`, what the others unpack, of `messages`; nothing outside of chunks. */
  readonly unpack: readonly KernelCall[];
}
